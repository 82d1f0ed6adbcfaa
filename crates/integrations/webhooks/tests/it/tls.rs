//! Connections that should be secure and are not.

use std::sync::Arc;

use galley_webhooks::{Sender, Verdict};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivatePkcs8KeyDer},
};

use crate::common::{AGENT, limits, policy, send};

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    (listener, host)
}

async fn error_at(host: &str) -> String {
    let sender = Sender::new(limits(), policy(&[host]), AGENT).unwrap();
    let report = send(&sender, &format!("https://{host}/")).await;
    assert_eq!((report.verdict, report.status_code), (Verdict::Failed, None));
    assert!(report.detail.is_some());
    report.error.unwrap()
}

#[tokio::test]
async fn a_certificate_of_nobody_we_know() {
    let (listener, host) = listen().await;
    let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key.into())
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            assert!(acceptor.accept(stream).await.is_err(), "the client must not go on");
        }
    });
    let error = error_at(&host).await;
    assert!(error.contains("Nothing was sent: the endpoint's security certificate is not valid"), "{error}");
}

#[tokio::test]
async fn an_endpoint_that_speaks_plain_http() {
    let (listener, host) = listen().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.read_u8().await.unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        }
    });
    let error = error_at(&host).await;
    assert!(error.contains("could not be connected to securely"), "{error}");
}
