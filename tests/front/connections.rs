//! What a connection may cost: how many there may be, how long each may keep what it has, and what becomes of it when an
//! answer comes early or the process stops.

use std::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use galley::http::{AppState, serve};
use galley_testkit::Harness;
use poem::listener::{Acceptor, Listener, TcpListener};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};
use tokio_util::sync::CancellationToken;

use super::Front;

const SOON: Duration = Duration::from_secs(20);

fn address(front: &Front) -> SocketAddr {
    front.base.trim_start_matches("http://").parse().unwrap()
}

async fn connection(front: &Front) -> TcpStream {
    TcpStream::connect(address(front)).await.unwrap()
}

/// A connection from another address of this machine.
async fn connection_from(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::new(from.parse::<IpAddr>().unwrap(), 0)).unwrap();
    socket.connect(to).await.unwrap()
}

/// Head, status and body of one answer.
#[derive(Debug)]
struct Heard {
    status: u16,
    head: String,
    body: Vec<u8>,
}

impl Heard {
    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    fn closes(&self) -> bool {
        self.head.contains("\r\nconnection: close\r\n")
    }
}

/// Reads one answer from a connection; `None` when it is closed before.
async fn answer(from: &mut TcpStream) -> Option<Heard> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(from.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).unwrap().to_lowercase();
    let length = head.split("\r\n").find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    let mut body = vec![0; length.parse().unwrap()];
    from.read_exact(&mut body).await.ok()?;
    Some(Heard { status: head[9..12].parse().unwrap(), head, body })
}

async fn asked(connection: &mut TcpStream, request: &str) -> Heard {
    connection.write_all(request.as_bytes()).await.unwrap();
    let heard = tokio::time::timeout(SOON, answer(connection)).await.expect("it is answered soon");
    heard.unwrap_or_else(|| panic!("the connection was closed instead of an answer to {request}"))
}

fn get(path: &str, key: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n")
}

fn order(key: &str) -> String {
    let body = json!({ "user_prompt": "Tea" }).to_string();
    let length = body.len();
    format!(
        "POST /api/v1/tasks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

/// Asks until a connection gets a place of its own.
async fn place(front: &Front) {
    let got = async {
        loop {
            let mut connection = connection(front).await;
            connection.write_all(get("/api/v1/credits", &front.harness.secret).as_bytes()).await.unwrap();
            if answer(&mut connection).await.is_some_and(|heard| heard.status == 200) {
                return;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(30), got).await.expect("the place is given back");
}

/// Opens connections whose heads drip in, byte by byte, until `stop`.
async fn drip(front: &Front, count: usize, stop: &CancellationToken) {
    for _ in 0..count {
        let mut dripping = connection(front).await;
        dripping.write_all(b"GET /healthz HTTP/1.1\r\nX: ").await.unwrap();
        let stop = stop.clone();
        tokio::spawn(stop.run_until_cancelled_owned(async move {
            while dripping.write_all(b"x").await.is_ok() {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        }));
    }
}

#[tokio::test]
async fn dripping_connections_of_one_address_hold_up_nobody_else() {
    let front = Front::new().await;
    let stop = CancellationToken::new();
    drip(&front, 800, &stop).await;
    let began = tokio::time::Instant::now();
    let mut other = connection_from("127.0.0.2", address(&front)).await;
    let key = &front.harness.secret;
    assert_eq!(asked(&mut other, &get("/healthz", key)).await.status, 200);
    assert_eq!(asked(&mut other, &order(key)).await.status, 202, "another address is served as ever");
    let mut same = connection(&front).await;
    assert_eq!(asked(&mut same, &get("/readyz", key)).await.status, 200, "probes are answered to the same one, too");
    let mut same = connection(&front).await;
    let refused = asked(&mut same, &get("/api/v1/credits", key)).await;
    assert_eq!((refused.status, refused.json()["code"].as_str()), (503, Some("RATE_LIMIT_ERROR")), "{refused:?}");
    assert!(refused.json()["detail"].as_str().unwrap().contains("limits.connections_per_address"), "{refused:?}");
    assert!(refused.closes() && refused.head.contains("\r\nretry-after: 5\r\n"), "{refused:?}");
    assert!(answer(&mut same).await.is_none(), "and closed");
    assert!(began.elapsed() < Duration::from_secs(5), "at once: {:?}", began.elapsed());
    stop.cancel();
}

#[tokio::test]
async fn probes_are_answered_while_all_places_are_taken() {
    let change = |state: &mut AppState| {
        (state.limits.connections, state.limits.connections_per_address) = (3, 0);
        state.limits.reserve = 2;
    };
    let front = Front::on(Harness::builder(), change).await;
    let key = &front.harness.secret;
    let mut holders = Vec::new();
    for _ in 0..3 {
        let mut holder = connection(&front).await;
        assert_eq!(asked(&mut holder, &get("/api/v1/credits", key)).await.status, 200);
        holders.push(holder);
    }
    // They ask for nothing, and make way for those who do.
    let silent = [connection(&front).await, connection(&front).await, connection(&front).await];
    for path in ["/healthz", "/readyz", "/metrics"] {
        let mut probe = connection(&front).await;
        let heard = asked(&mut probe, &get(path, key)).await;
        assert!(heard.status == 200 && heard.closes(), "{path}: {heard:?}");
    }
    let mut more = connection(&front).await;
    let refused = asked(&mut more, &order(key)).await;
    assert!(refused.status == 503 && refused.closes(), "{refused:?}");
    assert!(refused.json()["detail"].as_str().unwrap().contains("all 3 connections"), "{refused:?}");
    assert_eq!(asked(&mut holders[0], &order(key)).await.status, 202, "who has a place keeps it");
    drop((holders, silent));
    place(&front).await;
}

#[tokio::test]
async fn a_head_has_its_time_and_a_kept_connection_may_be_silent_for_longer() {
    let front = Front::on(Harness::builder(), |state| state.limits.head = Duration::from_millis(400)).await;
    let key = &front.harness.secret;
    let mut kept = connection(&front).await;
    for _ in 0..2 {
        assert_eq!(asked(&mut kept, &get("/api/v1/credits", key)).await.status, 200);
        let early = tokio::time::timeout(Duration::from_millis(1200), kept.read_u8()).await;
        assert!(early.is_err(), "it is kept although it is silent for three times as long: {early:?}");
    }
    kept.write_all(b"GET /healthz HTTP/1.1\r\n").await.unwrap();
    let began = tokio::time::Instant::now();
    assert!(answer(&mut kept).await.is_none(), "what was begun has to be ended");
    assert!((300..10_000).contains(&began.elapsed().as_millis()), "{:?}", began.elapsed());
    let mut slow = connection(&front).await;
    let body = order(key);
    let (head, rest) = body.split_at(body.len() - 4);
    slow.write_all(head.as_bytes()).await.unwrap();
    let early = tokio::time::timeout(Duration::from_millis(1200), slow.read_u8()).await;
    assert!(early.is_err(), "a body has more time: {early:?}");
    assert_eq!(asked(&mut slow, rest).await.status, 202);
}

/// A request with a body of so many bytes that nobody will read.
fn with_body(line: &str, headers: &str, length: usize) -> String {
    format!("{line} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {length}\r\n\r\n{}", "x".repeat(length))
}

#[tokio::test]
async fn an_early_answer_leaves_a_connection_that_can_be_used_again() {
    let narrow = [galley_domain::Permission::Read];
    let front = Front::on(Harness::builder(), |state| state.limits.rates.ai = 2).await;
    let reader = format!("Authorization: Bearer {}\r\n", front.key(&narrow, &[galley_domain::Scope::Articles]).await);
    let key = format!("Authorization: Bearer {}\r\n", front.harness.secret);
    for _ in 0..2 {
        front.post("/api/v1/tasks", &json!({ "user_prompt": "Tea" })).await.is(202);
    }
    let post = "POST /api/v1/tasks";
    for (line, headers, status) in [
        (post, "Authorization: Bearer gk_no\r\n".to_owned(), 401),
        (post, reader, 403),
        ("POST /nowhere", key.clone(), 404),
        ("PUT /api/v1/tasks", key.clone(), 405),
        ("PATCH /api/v1/projects/x", format!("{key}Content-Encoding: gzip\r\n"), 415),
        (post, key.clone(), 429),
    ] {
        let mut connection = connection(&front).await;
        let small = asked(&mut connection, &with_body(line, &headers, 30_000)).await;
        assert!(small.status == status && !small.closes(), "{line} {status}: {small:?}");
        let next = asked(&mut connection, &get("/healthz", "")).await;
        assert_eq!(next.status, 200, "the next request of the connection is answered after {status}");
        let large = asked(&mut connection, &with_body(line, &headers, 100_000)).await;
        assert!(large.status == status && large.closes(), "a large body is not read away: {large:?}");
        assert!(answer(&mut connection).await.is_none(), "and the connection is closed, as it was said");
    }
}

#[tokio::test]
async fn a_client_that_is_still_sending_gets_its_answer() {
    let front = Front::new().await;
    let key = format!("Authorization: Bearer {}\r\nContent-Type: application/json\r\n", front.harness.secret);
    // More than the buffers of both systems hold: it is sent to its end only if somebody takes it.
    let request = with_body("POST /api/v1/tasks", &key, 16 * 1024 * 1024);
    let (mut from, mut to) = connection(&front).await.into_split();
    let sending = tokio::spawn(async move { to.write_all(request.as_bytes()).await });
    tokio::time::timeout(SOON, sending).await.expect("it is taken").unwrap().expect("to its end");
    let mut text = String::new();
    from.read_to_string(&mut text).await.expect("the answer comes");
    assert!(text.starts_with("HTTP/1.1 413 ") && text.contains("connection: close"), "{text}");
}

#[tokio::test]
async fn a_client_that_waits_to_be_asked_for_its_body_is_not_asked_in_vain() {
    let front = Front::new().await;
    let mut connection = connection(&front).await;
    let request = "POST /api/v1/tasks HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n";
    let heard = asked(&mut connection, request).await;
    assert!(heard.status == 401 && heard.closes(), "{heard:?}");
}

#[tokio::test]
async fn a_silent_connection_is_closed_and_gives_its_place_back() {
    let change = |state: &mut AppState| {
        (state.limits.connections, state.limits.connections_per_address) = (1, 0);
        state.limits.idle = Duration::from_millis(300);
        (state.limits.timeout, state.limits.upload_timeout) = (Duration::from_secs(1), Duration::from_secs(1));
        state.limits.heartbeat = Duration::from_millis(100);
    };
    let front = Front::on(Harness::builder(), change).await;
    for begun in
        ["", "GET /healthz HTTP/1.1\r\nHost: x\r\n", "POST /api/v1/tasks HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"]
    {
        let mut silent = connection(&front).await;
        silent.write_all(begun.as_bytes()).await.unwrap();
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(Duration::from_secs(20), silent.read_to_end(&mut rest)).await;
        assert!(closed.is_ok(), "the server hangs up after {begun:?}");
        place(&front).await;
    }
}

/// Connections that break soon, and only one at a time.
fn impatient(state: &mut AppState) {
    (state.limits.connections, state.limits.connections_per_address) = (1, 0);
    state.limits.idle = Duration::from_millis(500);
    state.limits.head = Duration::from_millis(500);
}

#[tokio::test]
async fn a_head_that_drips_in_is_given_up() {
    let front = Front::on(Harness::builder(), impatient).await;
    for before in ["", "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"] {
        let (mut from, mut to) = connection(&front).await.into_split();
        let drip = async {
            to.write_all(before.as_bytes()).await?;
            to.write_all(b"GET /healthz HTTP/1.1\r\nX: ").await?;
            loop {
                to.write_all(b"x").await?;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        let closed = async { while from.read(&mut [0; 1024]).await.is_ok_and(|count| count > 0) {} };
        let ended = async {
            tokio::select! {
                ended = drip => drop::<std::io::Result<()>>(ended),
                () = closed => {}
            }
        };
        tokio::time::timeout(Duration::from_secs(20), ended).await.expect("the server hangs up although bytes come");
        place(&front).await;
    }
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_given_up() {
    let front = Front::on(Harness::builder(), impatient).await;
    // More answers than the buffers of both systems hold.
    let asked = "GET /docs HTTP/1.1\r\nHost: x\r\n\r\n".repeat(40);
    let mut deaf = connection(&front).await;
    deaf.write_all(asked.as_bytes()).await.unwrap();
    place(&front).await;
}

/// A connection with an order whose handler waits for the body: `Expect` has the server say when it does.
async fn half_an_order(address: SocketAddr, key: &str) -> TcpStream {
    let mut asking = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/v1/tasks HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
         Content-Length: 22\r\nExpect: 100-continue\r\n\r\n"
    );
    asking.write_all(head.as_bytes()).await.unwrap();
    let mut told = [0; 25];
    asking.read_exact(&mut told).await.unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    asking
}

#[tokio::test]
async fn a_front_that_stops_answers_what_it_began_and_waits_for_nobody_else() {
    let front = Front::new().await;
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    let address = *acceptor.local_addr()[0].as_socket_addr().unwrap();
    let state = AppState::new(front.harness.services.clone(), front.harness.notifications.clone());
    let (stop, drain) = (CancellationToken::new(), Duration::from_secs(4));
    let serving = tokio::spawn(serve(acceptor, state, stop.clone(), drain));
    let key = &front.harness.secret;
    let silent = TcpStream::connect(address).await.unwrap();
    let stuck = half_an_order(address, key).await;
    let mut asking = half_an_order(address, key).await;
    stop.cancel();
    asking.write_all(b"{\"user_prompt\": \"Tea\"}").await.unwrap();
    let mut answer = String::new();
    asking.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 202 "), "what was begun is answered: {answer}");
    let ended = tokio::time::timeout(Duration::from_secs(20), serving).await;
    assert!(ended.expect("who never ends is cut off").unwrap().is_ok(), "and that is a good end");
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
    drop((silent, stuck));
}

/// The front of a process whose other work goes on until `others` is cancelled.
#[tokio::test]
async fn a_front_that_stops_answers_probes_until_all_has_ended() {
    let front = Front::new().await;
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    let address = *acceptor.local_addr()[0].as_socket_addr().unwrap();
    let mut state = AppState::new(front.harness.services.clone(), front.harness.notifications.clone());
    let (stop, others) = (CancellationToken::new(), CancellationToken::new());
    (state.stop, state.others) = (stop.clone(), others.clone());
    let serving = tokio::spawn(serve(acceptor, state, stop.clone(), Duration::ZERO));
    let key = &front.harness.secret;
    let mut kept = TcpStream::connect(address).await.unwrap();
    assert_eq!(asked(&mut kept, &get("/readyz", key)).await.status, 200);
    stop.cancel();
    assert!(tokio::time::timeout(SOON, answer(&mut kept)).await.expect("soon").is_none(), "idle ones are closed");
    for (path, status, said) in [
        ("/healthz", 200, "ok"),
        ("/readyz", 503, "the process is stopping"),
        ("/api/v1/credits", 503, "the process is stopping"),
    ] {
        let mut late = TcpStream::connect(address).await.unwrap();
        let heard = asked(&mut late, &get(path, key)).await;
        assert!(heard.status == status && heard.closes(), "{path}: {heard:?}");
        assert!(String::from_utf8_lossy(&heard.body).contains(said), "{path}: {heard:?}");
    }
    assert!(!serving.is_finished(), "it goes on as long as the rest of the process");
    others.cancel();
    assert!(tokio::time::timeout(SOON, serving).await.expect("soon").unwrap().is_ok());
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
