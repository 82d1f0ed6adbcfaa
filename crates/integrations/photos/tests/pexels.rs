//! Against a peer that answers as Pexels documents it.

#![expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]

use std::net::SocketAddr;

use galley_domain::Hidden;
use galley_fetch::address::Policy;
use galley_photos::{LinkRefused, Pexels, PexelsSettings, PhotoQuery};
use galley_testpeer::{Peer, Reply, Request};

const FOUND: &str = r##"{"total_results":8000,"page":2,"per_page":1,"photos":[{"id":2014422,"width":3024,"height":3024,
"url":"https://www.pexels.com/photo/brown-rocks-2014422/","photographer":"Joey Farina",
"photographer_url":"https://www.pexels.com/@joey","photographer_id":680589,"avg_color":"#978E82",
"src":{"original":"https://images.pexels.com/photos/2014422/pexels-photo-2014422.jpeg","tiny":"https://images.pexels.com/t.jpeg"},
"liked":false,"alt":"Brown Rocks During Golden Hour"}],"next_page":"https://api.pexels.com/v1/search/?page=3"}"##;

fn answer(status: &str, headers: &str, body: &[u8]) -> Reply {
    let head = format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n", body.len());
    Reply::Bytes([head.as_bytes(), body].concat())
}

fn pexels(address: SocketAddr) -> Pexels {
    let settings = PexelsSettings {
        base_url: format!("http://{address}"),
        image_hosts: vec!["images.pexels.com".into(), address.to_string()],
        max_bytes: 1000,
        user_agent: "test".into(),
    };
    Pexels::new(settings, Policy::new(vec![address.to_string().parse().unwrap()])).unwrap()
}

fn query() -> PhotoQuery {
    PhotoQuery { text: "brown rocks & sand".into(), page: 2, per_page: 1, orientation: Some("square") }
}

#[tokio::test]
async fn a_search_is_asked_as_documented_and_its_answer_is_read() {
    let peer = Peer::start(|_: &Request| answer("200 OK", "", FOUND.as_bytes())).await;
    let found = pexels(peer.address).search(&Hidden::new("563492ad6f917"), &query()).await.unwrap();
    assert_eq!((found.total_results, found.page, found.per_page, found.photos.len()), (8000, 2, 1, 1));
    assert_eq!(found.photos[0].photographer, "Joey Farina");
    assert_eq!(found.photos[0].src.len(), 2);
    let asked = &peer.asked()[0];
    assert_eq!(asked.path, "/v1/search?query=brown+rocks+%26+sand&page=2&per_page=1&orientation=square");
    assert_eq!(asked.header("authorization"), Some("563492ad6f917"), "without Bearer");
}

#[tokio::test]
async fn what_fails_is_told_without_the_key() {
    for (status, is_transient, words) in [
        ("401 Unauthorized", false, "does not accept the key"),
        ("429 Too Many Requests", true, "fewer requests"),
        ("500 Internal Server Error", true, "answered 500"),
        ("302 Found", false, "redirect"),
    ] {
        let peer =
            Peer::start(move |_: &Request| answer(status, "Location: /x\r\n", b"the key 563492ad6f917 is no")).await;
        let fault = pexels(peer.address).search(&Hidden::new("563492ad6f917"), &query()).await.unwrap_err();
        assert_eq!(fault.is_transient(), is_transient, "{status}");
        assert!(fault.to_string().contains(words), "{fault}");
        assert!(!format!("{fault} {fault:?}").contains("563492ad6f917"), "{fault:?}");
        assert_eq!(peer.asked().len(), 1, "nothing follows a redirect");
    }
    let peer = Peer::start(|_: &Request| answer("200 OK", "", b"<html>")).await;
    let fault = pexels(peer.address).search(&Hidden::new("k"), &query()).await.unwrap_err();
    assert!(fault.to_string().contains("photos.base_url"), "{fault}");
}

#[tokio::test]
async fn a_photo_comes_from_the_hosts_of_the_settings_alone() {
    let peer = Peer::start(|request: &Request| match request.path.as_str() {
        "/moved" => answer("302 Found", "Location: http://127.0.0.1:1/\r\n", b""),
        "/large" => answer("200 OK", "", &[0; 1001]),
        _ => answer("200 OK", "", b"picture"),
    })
    .await;
    let pexels = pexels(peer.address);
    let url = pexels.check(&peer.url("/a.jpeg")).unwrap();
    assert_eq!(pexels.fetch(&url).await.unwrap(), b"picture");
    for (path, words) in [("/moved", "redirect"), ("/large", "more than")] {
        let url = pexels.check(&peer.url(path)).unwrap();
        assert!(pexels.fetch(&url).await.unwrap_err().to_string().contains(words), "{path}");
    }
    assert!(pexels.check("https://images.pexels.com/photos/1/a.jpeg?w=100").is_ok());
    assert!(pexels.check("https://IMAGES.pexels.com/a.jpeg").is_ok());
    assert_eq!(pexels.check("http://images.pexels.com/a.jpeg"), Err(LinkRefused::NotHttps));
    for link in [
        "https://images.pexels.com:8443/a.jpeg",
        "https://images.pexels.com.example.org/a.jpeg",
        "https://example.org/images.pexels.com",
        "https://images.pexels.com@example.org/a.jpeg",
        "https://127.0.0.1/a.jpeg",
        "https://169.254.169.254/latest/meta-data/",
        "ftp://images.pexels.com/a",
        "file:///etc/passwd",
        "images.pexels.com/a.jpeg",
    ] {
        assert!(pexels.check(link).is_err(), "{link}");
    }
}
