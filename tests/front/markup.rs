//! Markup in what Galley is told and in what it reads: nothing of it runs where an article is shown.

use galley_fetch::address::Policy;
use galley_testkit::Harness;
use poem::{
    Endpoint, EndpointExt, Route, Server,
    endpoint::make_sync,
    listener::{Acceptor, Listener, TcpListener},
    web::Html,
};
use serde_json::json;

use super::{Front, id, text};

/// Sentences that a reader of plain text takes for text, and that a browser must not take for anything else.
const ATTACKS: [&str; 8] = [
    "The <script>alert(1)</script> roastery of Sela Ridge roasts coffee every spring.",
    "Farmers of the ridge <img src=x onerror=alert(1)> pick ripe coffee cherries by hand.",
    "Washed coffee is dried <svg/onload=alert(1)> on raised beds for two weeks.",
    "Members read [the coffee rules](javascript:alert(1)) at every meeting of the cooperative.",
    "The mill keeps ![coffee](x\" onerror=\"alert(1)) samples of every lot for a year.",
    "Buyers taste the coffee <a href=\"javascript:alert(1)\" onclick=alert(1)>twice</a> before they order.",
    "Roasted coffee rests <iframe srcdoc=\"<script>alert(1)</script>\"></iframe> for three days.",
    "A kilogram of coffee <style>*{background:url(javascript:alert(1))}</style> needs seven kilograms of cherries.",
];

/// Enough around each attack to write from.
fn paragraph(at: usize) -> String {
    let (first, second) = PLAIN[at];
    format!("{first} {} {second}", ATTACKS[at])
}

const PLAIN: [(&str, &str); 8] = [
    (
        "Sela Ridge coffee grows between twelve hundred and eighteen hundred metres.",
        "The first harvest begins in October.",
    ),
    ("Ripe coffee cherries are dark red and slightly soft.", "Every picker fills about four baskets of coffee a day."),
    (
        "The washing station stands beside the river below the ridge.",
        "Dry coffee is stored in the shade of the old hall.",
    ),
    ("The cooperative of Sela Ridge has three hundred members.", "They vote on the price of coffee twice a year."),
    ("Every lot of coffee gets a number at the mill.", "The number stays with the coffee until it is roasted."),
    ("Most buyers of Sela Ridge coffee come in January.", "They visit the farms before they taste the coffee."),
    ("The roastery roasts small batches of coffee on Tuesdays.", "Fresh coffee still releases gas after roasting."),
    (
        "A coffee tree of the ridge bears fruit in its fourth year.",
        "Old trees are cut back so that they bear coffee again.",
    ),
];

/// Every `<` of these begins markup that the renderer itself writes.
const OWN: &[&str] = &[
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "img",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "ul",
    "wbr",
];

/// Fails if a browser would find more in this than text in its usual places.
#[track_caller]
fn assert_inert(html: &str) {
    for tag in html.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let name = tag.trim_start_matches('/').split(|symbol: char| !symbol.is_ascii_alphanumeric()).next().unwrap();
        assert!(OWN.contains(&name), "<{tag}> in {html}");
        let names: String = tag.split('"').step_by(2).collect();
        assert!(!names.to_lowercase().contains(" on") && !names.contains("style"), "<{tag}> in {html}");
        for link in tag.split("href=\"").skip(1).chain(tag.split("src=\"").skip(1)) {
            let address = link.split('"').next().unwrap();
            let good = ["https://", "http://127.0.0.1:"].iter().any(|begin| address.starts_with(begin));
            let good = good || !address.contains(':');
            assert!(good, "<{tag}> in {html}");
        }
    }
}

/// Fails if a generator that lets markup in Markdown through would find any but our own.
#[track_caller]
fn assert_escaped(markdown: &str) {
    for (at, _) in markdown.match_indices('<') {
        let own = ["<sup class=\"citation\"", "</sup>", "<a href=\"#", "</a>", "<http://127.0.0.1:"];
        let escaped = markdown[..at].ends_with('\\');
        assert!(escaped || own.iter().any(|begin| markdown[at..].starts_with(begin)), "{at} in {markdown}");
    }
    assert!(!markdown.contains("](javascript:"), "{markdown}");
}

fn page() -> impl Endpoint {
    let escaped = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let body: String = (0..4).map(|at| format!("<p>{}</p>", escaped(&paragraph(at)))).collect();
    let title = escaped("Coffee </title><script>alert(1)</script>");
    let html =
        format!("<!doctype html><html><head><title>{title}</title></head><body><main>{body}</main></body></html>");
    Route::new().at("/page", make_sync(move |_| Html(html.clone()))).map_to_response()
}

#[tokio::test]
async fn markup_from_prompt_page_file_and_title_stays_text() {
    let links = Policy::new(vec!["127.0.0.1".parse().unwrap()]);
    let front = Front::on(Harness::builder().settings(|settings| settings.links = links), |_| {}).await;
    let acceptor = TcpListener::bind("127.0.0.1:0").into_acceptor().await.unwrap();
    let address = *acceptor.local_addr()[0].as_socket_addr().unwrap();
    let serving = tokio::spawn(Server::new_with_acceptor(acceptor).run(page()));
    let name = "\"><img src=x onerror=alert(1)>.txt";
    let file = text(&front.upload(name, (4..8).map(paragraph).collect::<Vec<_>>().join("\n\n")).await.is(201)["id"]);
    let order = json!({
        "user_prompt": "Coffee of Sela Ridge <script>alert(1)</script> [x](javascript:alert(1))",
        "keywords": ["<img src=x onerror=alert(1)>"],
        "reference_links": [format!("http://{address}/page")],
        "uploaded_files": [file],
        "min_words": 100, "max_words": 300,
    });
    let receipt = front.post("/api/v1/tasks", &order).await;
    let (task, article) = (id(&receipt.is(202)["task_id"]), text(&receipt.json["article_id"]));
    let engine = front.harness.extractive();
    front.harness.completed(task).await;
    engine.stop().await;
    serving.abort();

    let path = format!("/api/v1/articles/{article}");
    let shown = front.get(&path).await;
    let shown = &shown.is(200)["data"];
    assert_inert(&text(&shown["content_html"]));
    assert_escaped(&text(&shown["content_markdown"]));
    let told = text(&shown["content_markdown"]);
    assert!(told.contains("alert(1)") && told.contains("127.0.0.1"), "both sources were used: {told}");
    let published: Vec<_> = walk(&front.harness.site()).into_iter().filter(|path| path.ends_with(".md")).collect();
    assert_eq!(published.len(), 1, "{published:?}");
    let whole = std::fs::read_to_string(&published[0]).unwrap();
    let body = whole.splitn(3, "---").nth(2).expect("front matter and a body");
    assert_escaped(body);

    for attack in ATTACKS {
        let change = json!({ "title": attack, "content": format!("# {attack}\n\n{attack}\n\n| {attack} |\n|---|\n") });
        let changed = front.patch(&path, &change).await;
        assert_inert(&text(&changed.is(200)["content_html"]));
        assert_eq!(changed.header("content-type"), "application/json", "no browser takes it for a page");
    }
}

fn walk(folder: &std::path::Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(walk(&path));
        } else {
            found.push(path.display().to_string());
        }
    }
    found
}
