//! Logs: human on a terminal, JSON otherwise. Traces: over OTLP when a collector is named.

use std::{
    io::IsTerminal,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use anyhow::Context;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    error::OTelSdkResult,
    trace::{SdkTracerProvider, SpanData, SpanExporter},
};
use poem::http::{Uri, uri::Scheme};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, LevelFilter, Targets, dynamic_filter_fn},
    layer::{Filter, SubscriberExt},
    util::SubscriberInitExt,
};

use crate::config::Log;

/// What Galley is called in traces.
const SERVICE: &str = "galley";
/// How long one export may take with its retries.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long the end of the program waits for the last spans to leave.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);
/// What taking the exporter apart may add to that: a name look-up in flight cannot be interrupted.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// Who reads the log of this command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Audience {
    /// A person who wants the result: errors only, unless asked for more.
    Person,
    /// Whoever looks after a daemon.
    Operator,
}

/// Keeps what must be flushed at the end. Dropping it takes at most three seconds.
#[derive(Debug)]
pub struct Guard {
    _traces: Option<Traces>,
}

type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// A filter whose yes is not remembered. Of a place that is always logged the library does not ask again, and then takes the
/// answer to whatever this thread asked last for the answer to it: sqlx asks after each statement whether it should be
/// logged, and the next line or span is lost (tokio-rs/tracing#2519).
fn asked_each_time(filter: impl Filter<Registry>) -> impl Filter<Registry> {
    filter.and(dynamic_filter_fn(|_, _| true).with_max_level_hint(LevelFilter::TRACE))
}

/// Starts logging to standard error, and the export of traces when `log.otlp_endpoint` is set. `GALLEY_LOG` beats the
/// file; it decides what is logged, not what is exported.
pub fn start(log: &Log, audience: Audience) -> anyhow::Result<Guard> {
    let fallback = match audience {
        Audience::Person => "error",
        // apalis judges our layers by their names and warns of timeouts that no trace would show; ours are written by the
        // layer around them.
        Audience::Operator => {
            "info,apalis=warn,apalis_core=warn,apalis_core::worker::context=error,sqlx=warn,sea_orm_migration=warn"
        }
    };
    let wanted = std::env::var("GALLEY_LOG").ok().or_else(|| log.filter.clone());
    let filter = EnvFilter::try_new(wanted.as_deref().unwrap_or(fallback)).context("the log filter cannot be read")?;
    let human = match log.format.as_deref() {
        None => std::io::stderr().is_terminal(),
        Some("human") => true,
        Some("json") => false,
        Some(other) => anyhow::bail!("log.format is '{other}'; it must be human or json"),
    };
    let layer = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let layer = if human {
        layer.with_target(false).boxed()
    } else {
        layer.json().flatten_event(true).with_span_list(true).boxed()
    };
    let mut layers: Vec<BoxedLayer> = vec![layer.with_filter(asked_each_time(filter)).boxed()];
    let mut traces = None;
    if let Some(endpoint) = log.otlp_endpoint.as_deref() {
        let (layer, started) = export_traces(endpoint)?;
        layers.push(layer);
        traces = Some(started);
    }
    tracing_subscriber::registry().with(layers).try_init().context("logging was started twice")?;
    Ok(Guard { _traces: traces })
}

/// The running export. Dropping it sends what is left and stops.
#[derive(Debug)]
struct Traces(SdkTracerProvider);

impl Drop for Traces {
    fn drop(&mut self) {
        let provider = self.0.clone();
        let (done, wait) = mpsc::channel();
        // A thread of its own: the provider joins threads without a limit once the spans have left.
        let closing = thread::Builder::new().name("otlp-close".into()).spawn(move || {
            let result = provider.shutdown_with_timeout(FLUSH_TIMEOUT);
            // Nobody waits any more when this comes too late.
            let _ = done.send(result);
        });
        match closing.map(|_| wait.recv_timeout(FLUSH_TIMEOUT + CLOSE_TIMEOUT)) {
            Ok(Ok(Ok(()))) => {}
            Ok(Ok(Err(error))) => tracing::warn!(%error, "the last traces may be lost"),
            Ok(Err(error)) => tracing::warn!(%error, "the last traces may be lost"),
            Err(error) => tracing::warn!(%error, "the last traces are lost"),
        }
    }
}

/// Spans of level info and above go in batches to `endpoint` + `/v1/traces` as protobuf.
fn export_traces(endpoint: &str) -> anyhow::Result<(BoxedLayer, Traces)> {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_endpoint(traces_url(endpoint)?)
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(EXPORT_TIMEOUT)
        .build()
        .context("log.otlp_endpoint: the export of traces cannot be set up")?;
    let provider = SdkTracerProvider::builder()
        .with_resource(Resource::builder().with_service_name(SERVICE).build())
        .with_batch_exporter(Reporting { exporter, failing: AtomicBool::new(false) })
        .build();
    // What sends the spans must not make spans, or it would never rest.
    let filter = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_targets(["opentelemetry", "reqwest", "hyper", "h2", "rustls"].map(|target| (target, LevelFilter::OFF)))
        .with_targets(["apalis", "sqlx", "sea_orm"].map(|target| (target, LevelFilter::WARN)));
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer(SERVICE))
        .with_filter(asked_each_time(filter))
        .boxed();
    Ok((layer, Traces(provider)))
}

/// Where traces go at a collector, checked before anything is sent.
fn traces_url(endpoint: &str) -> anyhow::Result<String> {
    const HELP: &str = "log.otlp_endpoint must be the base address of a collector, such as http://127.0.0.1:4318";
    let uri: Uri = endpoint.parse().context(HELP)?;
    let known = uri.scheme() == Some(&Scheme::HTTP) || uri.scheme() == Some(&Scheme::HTTPS);
    anyhow::ensure!(known, "{HELP}; it does not start with http:// or https://");
    anyhow::ensure!(uri.host().is_some_and(|host| !host.is_empty()), "{HELP}; it has no host");
    let with_login = uri.authority().is_some_and(|authority| authority.as_str().contains('@'));
    anyhow::ensure!(!with_login, "{HELP}; a login belongs in OTEL_EXPORTER_OTLP_HEADERS");
    anyhow::ensure!(uri.query().is_none() && !endpoint.contains('#'), "{HELP}; nothing may follow the path");
    let base = endpoint.trim_end_matches('/');
    anyhow::ensure!(!base.ends_with("/v1/traces"), "{HELP}; /v1/traces is added by Galley");
    Ok(format!("{base}/v1/traces"))
}

/// Tells once when a collector stops taking spans and once when it takes them again. The SDK would log every batch, as
/// an error.
#[derive(Debug)]
struct Reporting<E> {
    exporter: E,
    failing: AtomicBool,
}

impl<E: SpanExporter> SpanExporter for Reporting<E> {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let spans = batch.len();
        let result = self.exporter.export(batch).await;
        match &result {
            Ok(()) if self.failing.swap(false, Ordering::Relaxed) => {
                tracing::info!("the collector at log.otlp_endpoint takes traces again");
            }
            Err(error) if !self.failing.swap(true, Ordering::Relaxed) => {
                tracing::warn!(%error, spans, "traces are lost: the collector at log.otlp_endpoint does not take them");
            }
            _ => {}
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.exporter.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.exporter.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that meets the unexpected fails there")]
mod tests {
    use std::{
        io::{BufRead, BufReader, Read, Write},
        net::TcpListener,
        time::Instant,
    };

    use super::*;

    fn listen() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        (listener, endpoint)
    }

    /// Takes one request and answers it; gives its first line and its body.
    fn collect(listener: TcpListener, answer: &'static str) -> mpsc::Receiver<(String, Vec<u8>)> {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(stream);
            let head: Vec<String> =
                reader.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect();
            let length =
                head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap()];
            reader.read_exact(&mut body).unwrap();
            write!(reader.get_mut(), "HTTP/1.1 {answer}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").unwrap();
            sender.send((head[0].clone(), body)).unwrap();
        });
        receiver
    }

    fn emit(layer: BoxedLayer) {
        tracing::subscriber::with_default(tracing_subscriber::registry().with(vec![layer]), || {
            tracing::info_span!("weave-a-basket").in_scope(|| {});
            tracing::info_span!(target: "hyper_util::client", "send-by-wire").in_scope(|| {});
        });
    }

    fn contains(body: &[u8], text: &str) -> bool {
        body.windows(text.len()).any(|window| window == text.as_bytes())
    }

    #[test]
    fn spans_reach_the_collector_when_the_guard_is_dropped() {
        let (listener, endpoint) = listen();
        let received = collect(listener, "200 OK");
        let (layer, traces) = export_traces(&format!("{endpoint}/")).unwrap();
        emit(layer);
        drop(Guard { _traces: Some(traces) });
        let (line, body) = received.recv_timeout(Duration::from_secs(5)).unwrap();
        assert_eq!(line, "POST /v1/traces HTTP/1.1");
        assert!(contains(&body, "weave-a-basket"), "{body:?}");
        assert!(contains(&body, "service.name") && contains(&body, "galley"), "{body:?}");
        assert!(!contains(&body, "send-by-wire"), "{body:?}");
    }

    #[test]
    fn a_silent_collector_does_not_hold_up_the_end() {
        // The listener lives on and never answers. Inside a runtime, as in the program.
        let (_listener, endpoint) = listen();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let took = runtime.block_on(async {
            let (layer, traces) = export_traces(&endpoint).unwrap();
            emit(layer);
            let start = Instant::now();
            drop(Guard { _traces: Some(traces) });
            start.elapsed()
        });
        assert!(took < Duration::from_secs(3), "{took:?}");
    }

    #[test]
    fn a_refusing_or_missing_collector_does_no_harm() {
        let (listener, endpoint) = listen();
        let received = collect(listener, "400 Bad Request");
        let (layer, traces) = export_traces(&endpoint).unwrap();
        emit(layer);
        drop(traces);
        received.recv_timeout(Duration::from_secs(5)).unwrap();

        let (listener, endpoint) = listen();
        drop(listener);
        let (layer, traces) = export_traces(&endpoint).unwrap();
        emit(layer);
        let start = Instant::now();
        drop(traces);
        assert!(start.elapsed() < Duration::from_secs(3));
    }

    #[test]
    fn a_wrong_endpoint_names_the_setting() {
        for endpoint in [
            "",
            "127.0.0.1:4318",
            "/v1/traces",
            "grpc://127.0.0.1:4317",
            "http://",
            "http://:4318",
            "http://me:secret@127.0.0.1:4318",
            "http://127.0.0.1:4318/?a=b",
            "http://127.0.0.1:4318/#top",
            "http://127.0.0.1:4318/v1/traces",
            "http://two words",
        ] {
            let error = format!("{:#}", export_traces(endpoint).map(|_| ()).unwrap_err());
            assert!(error.contains("log.otlp_endpoint"), "{endpoint}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn the_path_of_a_collector_is_kept() {
        assert_eq!(traces_url("https://otel.example/in/").unwrap(), "https://otel.example/in/v1/traces");
    }
}
