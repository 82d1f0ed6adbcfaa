//! Signatures as receivers verify them: with the Rust crate `standardwebhooks`, with the packages of that name from PyPI
//! and npm where they are installed, and with vectors recorded from the one from PyPI.

use std::{
    io::Write,
    path::PathBuf,
    process::{Command, Stdio},
    time::SystemTime,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use galley_testpeer::Request;
use galley_webhooks::{Format, Secret, sign, sign_003};
use http::HeaderMap;
use serde_json::{Value, json};
use standardwebhooks::Webhook;

use crate::common::{BODY, HOOK, Peer, limits, ok, secret, send_signed, sender_for};

const VECTORS: &str = include_str!("../vectors/vectors.json");
const HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

const PYTHON: &str = "
import json, sys
from standardwebhooks import Webhook, WebhookVerificationError
for case in json.load(sys.stdin):
    try:
        Webhook(case['secret']).verify(case['body'], case['headers'], json_parse=False)
        print('good')
    except WebhookVerificationError:
        print('bad')
";
const NODE: &str = "
const { Webhook, WebhookVerificationError } = require('standardwebhooks');
for (const one of JSON.parse(require('fs').readFileSync(0, 'utf8'))) {
    try {
        new Webhook(one.secret).verify(one.body, one.headers);
        console.log('good');
    } catch (error) {
        if (!(error instanceof WebhookVerificationError)) throw error;
        console.log('bad');
    }
}
";

#[test]
fn the_recorded_signatures() {
    let recorded: Value = serde_json::from_str(VECTORS).unwrap();
    let vectors = recorded["vectors"].as_array().unwrap();
    assert_eq!(vectors.len(), 25);
    for vector in vectors {
        let text = |name: &str| vector[name].as_str().unwrap();
        let body = text("body").repeat(vector["times"].as_u64().unwrap().try_into().unwrap());
        let secret = Secret::parse(text("secret")).unwrap();
        let timestamp = vector["timestamp"].as_i64().unwrap();
        let signature = sign(text("id"), timestamp, body.as_bytes(), std::slice::from_ref(&secret));
        assert_eq!(signature, text("signature"), "{vector}");
        assert_eq!(sign_003(body.as_bytes(), &secret), text("signature_003"), "{vector}");
    }
}

#[test]
fn an_overlap_holds_both_with_the_new_one_first() {
    let (new, old) = (Secret::generate().unwrap(), secret());
    let both = sign("msg_1", 1, BODY, &[new.clone(), old.clone()]);
    assert_eq!(both, format!("{} {}", sign("msg_1", 1, BODY, &[new]), sign("msg_1", 1, BODY, &[old])));
    assert_eq!(sign("msg_1", 1, BODY, &[]), "");
}

/// What an endpoint received from the sender, with the secrets that were in force (newest first).
async fn received(secrets: &[Secret]) -> Request {
    let endpoint = Peer::start(|_| ok()).await;
    send_signed(&sender_for(&endpoint, limits()), &endpoint.url(HOOK), secrets, Format::V003).await;
    endpoint.asked().pop().unwrap()
}

fn headers_of(asked: &Request) -> HeaderMap {
    let header =
        |name: &'static str| (http::HeaderName::from_static(name), asked.header(name).unwrap().parse().unwrap());
    HEADERS.into_iter().map(header).collect()
}

#[tokio::test]
async fn the_rust_library_verifies_what_arrives() {
    let (new, old, stranger) = (Secret::generate().unwrap(), secret(), Secret::generate().unwrap());
    let asked = received(&[new.clone(), old.clone()]).await;
    let headers = headers_of(&asked);
    let verified =
        |secret: &Secret, body: &[u8]| Webhook::new(secret.text().expose()).unwrap().verify(body, &headers).is_ok();
    assert!(verified(&new, &asked.body) && verified(&old, &asked.body));
    assert!(!verified(&stranger, &asked.body));
    assert!(!verified(&new, b"{}") && !verified(&new, &asked.body[1..]));
}

/// Cases for the other libraries, and what each must say.
async fn cases() -> (Value, String) {
    let (new, old, stranger) = (Secret::generate().unwrap(), secret(), Secret::generate().unwrap());
    // Every length of secret that is taken, so that each library reads each padding as we do.
    let mut sent =
        vec![(vec![new.clone(), old.clone()], new.clone(), "good"), (vec![new.clone(), old.clone()], old, "good")];
    sent.push((vec![new], stranger, "bad"));
    for bytes in [24, 25, 26, 63, 64] {
        let own = Secret::parse(&STANDARD.encode(vec![0xfb; bytes])).unwrap();
        sent.push((vec![own.clone()], own, "good"));
    }
    let (mut cases, mut expected) = (Vec::new(), String::new());
    for (secrets, verifier, says) in sent {
        let asked = received(&secrets).await;
        let headers: serde_json::Map<String, Value> =
            HEADERS.iter().map(|name| ((*name).to_owned(), json!(asked.header(name)))).collect();
        let body = String::from_utf8(asked.body).unwrap();
        cases.push(json!({ "secret": verifier.text().expose(), "body": body, "headers": headers }));
        expected += says;
        expected.push('\n');
    }
    (Value::from(cases), expected)
}

fn run(command: &mut Command, input: &Value) -> String {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.to_string().as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", output.status);
    String::from_utf8(output.stdout).unwrap()
}

fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

#[tokio::test]
async fn the_python_library_verifies_what_arrives() {
    let asked = std::env::var("GALLEY_TEST_WEBHOOKS_PYTHON").ok();
    let python = asked.clone().unwrap_or_else(|| "python3".to_owned());
    if !works(Command::new(&python).args(["-c", "import standardwebhooks"])) {
        assert!(asked.is_none(), "{python} has no package standardwebhooks");
        eprintln!("skipped: python3 has no package standardwebhooks; name one in GALLEY_TEST_WEBHOOKS_PYTHON");
        return;
    }
    let (cases, expected) = cases().await;
    assert_eq!(run(Command::new(&python).args(["-c", PYTHON]), &cases), expected);
}

#[tokio::test]
async fn the_node_library_verifies_what_arrives() {
    let Some(folder) = std::env::var_os("GALLEY_TEST_WEBHOOKS_NODE").map(PathBuf::from) else {
        eprintln!("skipped: GALLEY_TEST_WEBHOOKS_NODE names no folder with node_modules/standardwebhooks");
        return;
    };
    assert!(folder.join("node_modules").is_dir(), "{} has no node_modules", folder.display());
    let (cases, expected) = cases().await;
    assert_eq!(run(Command::new("node").current_dir(&folder).args(["-e", NODE]), &cases), expected);
}

#[test]
fn timestamps_are_the_attempts() {
    let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_secs().try_into().unwrap();
    let verified = |timestamp: i64| {
        let secret = secret();
        let mut headers = HeaderMap::new();
        headers.insert("webhook-id", "msg_1".parse().unwrap());
        headers.insert("webhook-timestamp", timestamp.into());
        let signature = sign("msg_1", timestamp, BODY, std::slice::from_ref(&secret));
        headers.insert("webhook-signature", signature.parse().unwrap());
        Webhook::new(secret.text().expose()).unwrap().verify(BODY, &headers).is_ok()
    };
    assert!(verified(now) && !verified(now - 400), "a resend under an old timestamp is refused");
}
