//! Connections that should be secure and are not.

use std::sync::Arc;

use galley_fetch::{Fetcher, Reason};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::aws_lc_rs, pki_types::PrivatePkcs8KeyDer},
};

use crate::common::{AGENT, limits, policy};

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap().to_string();
    (listener, host)
}

async fn reason_at(host: &str) -> (Reason, String, bool) {
    let fetcher = Fetcher::new(limits(), policy(&[host]), AGENT).unwrap();
    let error = fetcher.fetch(&format!("https://{host}/")).await.unwrap_err();
    (error.reason.clone(), error.to_string(), error.is_transient())
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
    let (reason, message, transient) = reason_at(&host).await;
    assert_eq!((reason, transient), (Reason::Tls { certificate: true }, false), "{message}");
    assert!(message.contains("security certificate"), "{message}");
}

#[tokio::test]
async fn a_server_that_speaks_plain_http() {
    let (listener, host) = listen().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.read_u8().await.unwrap();
            stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        }
    });
    let (reason, message, transient) = reason_at(&host).await;
    assert_eq!((reason, transient), (Reason::Tls { certificate: false }, true), "{message}");
}

#[tokio::test]
async fn a_server_that_hangs_up() {
    let (listener, host) = listen().await;
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            stream.read_u8().await.unwrap();
        }
    });
    let (reason, message, _) = reason_at(&host).await;
    assert_eq!(reason, Reason::Connect, "{message}");
}
