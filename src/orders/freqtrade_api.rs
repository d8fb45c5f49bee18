//! freqtrade's REST interface (`/api/v1`): pause, cancel, stop, while the bot still runs.
//!
//! Every call has a time, and every failure is a sentence that names the host and the cause. The password is looked up
//! when an interface is made, stands in no sentence and in no log, and is sent to that host alone: no redirect is
//! followed and no proxy is used.

use std::fmt;
use std::io;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use ureq::http::header::AUTHORIZATION;
use ureq::http::{HeaderValue, Method, Request, StatusCode, Uri};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Error};

use crate::config::env_file;
use crate::core::bot;
use crate::logs::harmless::harmless;
use crate::paths::words;

use super::Surroundings;

/// Who does not take a connection in this time is not there.
const CONNECT: Duration = Duration::from_secs(1);
/// No answer of its is larger; thousands of trades are not.
const LARGEST: u64 = 16 << 20;
/// So much is shown of what it says.
const SHOWN: usize = 300;

/// One bot's interface.
pub struct Api {
    agent: Agent,
    /// Scheme, host, port, and a path where a proxy serves several; no slash at its end.
    base: String,
    host: String,
    authorization: HeaderValue,
    password: String,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("base", &self.base).finish_non_exhaustive()
    }
}

/// A position or an entry that the bot has not closed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenTrade {
    /// Its number: what its orders are canceled by.
    pub trade_id: u64,
    /// What is traded.
    pub pair: Option<String>,
    /// The venue's ids of its open orders.
    pub open_orders: Vec<String>,
}

/// What it said to something that was asked of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Whether it says that it was done. Of a cancelation it may say no although the order is gone: the next reading
    /// decides.
    pub accepted: bool,
    /// Its words.
    pub text: String,
}

/// How the bot is, by its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BotState {
    /// `running`, `paused`, `stopped`, `reload_config`.
    pub state: String,
    /// Whether its orders are simulated.
    pub dry_run: Option<bool>,
    /// `live`, `dry_run`.
    pub runmode: Option<String>,
}

/// An answer, whatever it is.
struct Answered {
    status: StatusCode,
    body: Vec<u8>,
}

impl Api {
    /// The interface, with the password from the bot's environment, else from ours. Nothing is sent yet.
    ///
    /// # Errors
    /// With a sentence, if the address is none or the password cannot be found.
    pub fn new(api: &bot::Api, around: &Surroundings) -> Result<Self, String> {
        let no_address = |why: &str| format!("the address {}: {why}", harmless(api.url.as_bytes()));
        let uri: Uri = api.url.parse().map_err(|_| no_address("is none"))?;
        let host = match (uri.scheme_str(), uri.authority()) {
            // What stands before an '@' would be shown.
            (Some("http" | "https"), Some(authority)) if !authority.as_str().contains('@') => authority.to_string(),
            _ => return Err(no_address("must be http:// or https:// and a host")),
        };
        if uri.query().is_some() {
            return Err(no_address("has a '?' in it"));
        }
        let base = api.url.trim_end_matches('/');
        let base = base.strip_suffix("/api/v1").unwrap_or(base).to_owned();
        let password = password(&api.password_env, around).map_err(|why| format!("{host}: {why}"))?;
        let credentials = BASE64_STANDARD.encode(format!("{}:{password}", api.username));
        let mut authorization = HeaderValue::try_from(format!("Basic {credentials}"))
            .map_err(|_| format!("{host}: name and password cannot be sent"))?;
        authorization.set_sensitive(true);
        let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_connect(Some(CONNECT))
            .timeout_resolve(Some(CONNECT))
            .tls_config(tls)
            // A bot that is being stopped closes its connections when it likes.
            .max_idle_connections(0)
            .build();
        Ok(Self { agent: config.into(), base, host, authorization, password })
    }

    /// Host and port: what its failures begin with.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether it answers at all. Needs no password, and none is sent.
    ///
    /// # Errors
    /// With a sentence that names the host, as everywhere here.
    pub fn ping(&self, within: Duration) -> Result<(), String> {
        let answered = self.send(&Method::GET, "ping", within, false)?;
        let pong = self.json(&answered)?;
        if pong.get("status").and_then(Value::as_str) == Some("pong") {
            return Ok(());
        }
        Err(self.failed("answers, but not as freqtrade does"))
    }

    /// How the bot is.
    ///
    /// # Errors
    /// With a sentence.
    pub fn state(&self, within: Duration) -> Result<BotState, String> {
        let config = self.json(&self.send(&Method::GET, "show_config", within, true)?)?;
        let word = |key: &str| config.get(key).and_then(Value::as_str).map(|word| harmless(word.as_bytes()));
        let Some(state) = word("state") else { return Err(self.failed("does not say how the bot is")) };
        let dry_run = config.get("dry_run").and_then(Value::as_bool);
        Ok(BotState { state, dry_run, runmode: word("runmode") })
    }

    /// Asks the bot to enter nothing new. Without it, it bids again as soon as an order is canceled.
    ///
    /// # Errors
    /// With a sentence, if it was not done.
    pub fn pause(&self, within: Duration) -> Result<String, String> {
        self.done(&self.send(&Method::POST, "pause", within, true)?)
    }

    /// Asks the bot to stop trading. Afterwards no order can be canceled over this interface.
    ///
    /// # Errors
    /// With a sentence, if it was not done.
    pub fn stop(&self, within: Duration) -> Result<String, String> {
        self.done(&self.send(&Method::POST, "stop", within, true)?)
    }

    /// The trades that are open, with the orders of theirs that are.
    ///
    /// # Errors
    /// With a sentence.
    pub fn open_trades(&self, within: Duration) -> Result<Vec<OpenTrade>, String> {
        let trades = self.json(&self.send(&Method::GET, "status", within, true)?)?;
        let Some(trades) = trades.as_array() else { return Err(self.failed("answers with what is no list of trades")) };
        trades
            .iter()
            .map(|trade| open_trade(trade).ok_or_else(|| self.failed("has a trade without a number")))
            .collect()
    }

    /// Asks the bot to cancel the open order of a trade. An entry that was canceled is answered with 502 "no active
    /// trade": that is no failure, and no proof either.
    ///
    /// # Errors
    /// With a sentence, if nobody heard it or it may not be asked.
    pub fn cancel_open_order(&self, trade_id: u64, within: Duration) -> Result<Said, String> {
        let answered = self.send(&Method::DELETE, &format!("trades/{trade_id}/open-order"), within, true)?;
        let accepted = answered.status.is_success();
        if accepted || matches!(answered.status.as_u16(), 400 | 404 | 409 | 422 | 500..=599) {
            return Ok(Said { accepted, text: self.said(&answered) });
        }
        Err(self.refused(&answered))
    }

    fn send(&self, method: &Method, path: &str, within: Duration, known: bool) -> Result<Answered, String> {
        let mut request = Request::builder().method(method).uri(format!("{}/api/v1/{path}", self.base));
        if known {
            request = request.header(AUTHORIZATION, self.authorization.clone());
        }
        let request = request.body(()).map_err(|_| self.failed("its address is none"))?;
        // No time would mean for ever.
        let within = within.max(Duration::from_millis(1));
        let agent = &self.agent;
        let request = agent.configure_request(request).timeout_global(Some(within)).build();
        let trouble = |error: Error| self.failed(&told(&error, within));
        let mut answer = agent.run(request).map_err(trouble)?;
        let status = answer.status();
        if status.is_redirection() {
            return Err(
                self.failed(&format!("answers {} with another address, which is not followed", status.as_u16()))
            );
        }
        let body = answer.body_mut().with_config().limit(LARGEST).read_to_vec().map_err(trouble)?;
        Ok(Answered { status, body })
    }

    fn json(&self, answered: &Answered) -> Result<Value, String> {
        if !answered.status.is_success() {
            return Err(self.refused(answered));
        }
        serde_json::from_slice(&answered.body).map_err(|_| self.failed("answers with what is no JSON"))
    }

    fn done(&self, answered: &Answered) -> Result<String, String> {
        if answered.status.is_success() { Ok(self.said(answered)) } else { Err(self.refused(answered)) }
    }

    fn refused(&self, answered: &Answered) -> String {
        let number = answered.status.as_u16();
        self.failed(&match number {
            401 => "does not accept the name and the password (401)".to_owned(),
            403 => "forbids it (403)".to_owned(),
            404 => "has no such thing (404): too old a freqtrade, or another program".to_owned(),
            _ => format!("answers {number}: {}", self.said(answered)),
        })
    }

    /// What it says, in a line that can be shown.
    fn said(&self, answered: &Answered) -> String {
        let parsed: Option<Value> = serde_json::from_slice(&answered.body).ok();
        let word = |key: &str| parsed.as_ref()?.get(key)?.as_str().map(str::to_owned);
        let said = ["error", "result_msg", "status", "detail"].into_iter().find_map(word);
        let said = said.unwrap_or_else(|| String::from_utf8_lossy(&answered.body).into_owned());
        let said: String = self.without_password(&said).chars().take(SHOWN).collect();
        let said = harmless(said.split_whitespace().collect::<Vec<_>>().join(" ").as_bytes());
        if said.is_empty() { format!("nothing ({})", answered.status.as_u16()) } else { said }
    }

    fn failed(&self, why: &str) -> String {
        format!("{}: {}", self.host, self.without_password(why))
    }

    /// A server may say back what it was told.
    fn without_password(&self, text: &str) -> String {
        let encoded = self.authorization.to_str().unwrap_or_default().trim_start_matches("Basic ");
        [self.password.as_str(), encoded]
            .into_iter()
            .filter(|secret| !secret.is_empty())
            .fold(text.to_owned(), |text, secret| text.replace(secret, "***"))
    }
}

/// What the configuration sets wins over the file, as in the bot's own environment; ours comes last.
fn password(name: &str, around: &Surroundings) -> Result<String, String> {
    let filled = |value: String| (!value.is_empty()).then_some(value);
    if let Some(value) = around.env.get(name).cloned().and_then(filled) {
        return Ok(value);
    }
    let file = around.env_file.as_deref().map(env_file::read).transpose();
    let in_file = file.as_ref().ok().and_then(Option::as_ref).and_then(|variables| {
        variables.iter().find(|(variable, _)| variable == name).and_then(|(_, value)| filled(value.clone()))
    });
    match (in_file.or_else(|| std::env::var(name).ok().and_then(filled)), file) {
        (Some(value), _) => Ok(value),
        (None, Err(why)) => Err(format!("the password in {name} cannot be read: {why}")),
        (None, Ok(_)) => {
            Err(format!("no password: {name} is set neither in the bot's environment nor in that of botwarden"))
        }
    }
}

fn open_trade(trade: &Value) -> Option<OpenTrade> {
    let orders = trade.get("orders").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let open = orders.iter().filter(|order| order.get("is_open").and_then(Value::as_bool) == Some(true));
    Some(OpenTrade {
        trade_id: trade.get("trade_id").and_then(Value::as_u64)?,
        pair: trade.get("pair").and_then(Value::as_str).map(str::to_owned),
        open_orders: open.filter_map(|order| Some(order.get("order_id")?.as_str()?.to_owned())).collect(),
    })
}

#[allow(clippy::wildcard_enum_match_arm)] // The enum is not ours, and will grow.
fn told(error: &Error, within: Duration) -> String {
    match error {
        Error::Timeout(ureq::Timeout::Connect) => "takes no connection".to_owned(),
        Error::Timeout(ureq::Timeout::Resolve) => "its name cannot be looked up in time".to_owned(),
        Error::Timeout(_) => format!("no answer within {:.1} s", within.as_secs_f64()),
        Error::HostNotFound => "nobody knows this host".to_owned(),
        // TLS reports through the connection that it runs over.
        Error::Io(error) if error.kind() == io::ErrorKind::InvalidData => {
            format!("no safe connection: {}", harmless(words(error).as_bytes()))
        }
        Error::Io(error) => words(error),
        Error::BodyExceedsLimit(_) => format!("its answer is larger than {} MiB", LARGEST >> 20),
        Error::Rustls(error) => format!("no safe connection: {}", harmless(error.to_string().as_bytes())),
        Error::Protocol(_) => "does not speak HTTP as it should".to_owned(),
        _ => harmless(error.to_string().as_bytes()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::{BufRead, BufReader, Write};
    use std::net::{TcpListener, TcpStream};
    use std::path::PathBuf;
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;
    use std::time::Instant;

    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    /// Answers every request as it is told to; what it heard comes out of the channel.
    fn server(answer: impl Fn(&str, &mut TcpStream) + Send + 'static) -> (String, Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let (tell, heard) = channel();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut stream = stream;
                let mut reader = BufReader::new(stream.try_clone().expect("a copy"));
                let mut request = String::new();
                while reader.read_line(&mut request).is_ok_and(|count| count > 2) {}
                let first = request.lines().next().unwrap_or_default().to_owned();
                let _ = tell.send(request);
                answer(&first, &mut stream);
            }
        });
        (url, heard)
    }

    fn reply(stream: &mut TcpStream, status: &str, body: &str) {
        let head = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
        let _ = stream.write_all(format!("{head}Content-Type: application/json\r\n\r\n{body}").as_bytes());
    }

    fn around() -> Surroundings {
        let env = BTreeMap::from([("FT_PASSWORD".to_owned(), "hunter2".to_owned())]);
        Surroundings { cwd: PathBuf::from("/"), env, env_file: None, user: None }
    }

    fn api(url: &str) -> Api {
        let api = bot::Api { url: url.to_owned(), username: "me".into(), password_env: "FT_PASSWORD".into() };
        Api::new(&api, &around()).expect("an interface")
    }

    #[test]
    fn it_pauses_cancels_and_stops() {
        let (url, heard) = server(|first, stream| match first.split(' ').take(2).collect::<Vec<_>>().as_slice() {
            ["GET", "/ft/api/v1/ping"] => reply(stream, "200 OK", r#"{"status":"pong"}"#),
            ["GET", "/ft/api/v1/show_config"] => {
                reply(stream, "200 OK", r#"{"state":"running","dry_run":true,"runmode":"dry_run"}"#);
            }
            ["POST", "/ft/api/v1/pause"] => reply(stream, "200 OK", r#"{"status":"paused, no more entries"}"#),
            ["POST", "/ft/api/v1/stop"] => reply(stream, "200 OK", r#"{"status":"stopping trader ..."}"#),
            ["GET", "/ft/api/v1/status"] => reply(
                stream,
                "200 OK",
                r#"[{"trade_id":7,"pair":"BTC/USD","orders":[{"order_id":"a","is_open":false},{"order_id":"b","is_open":true}]},
                    {"trade_id":8,"orders":null}]"#,
            ),
            ["DELETE", "/ft/api/v1/trades/7/open-order"] => reply(stream, "200 OK", r#"{"trade_id":7}"#),
            ["DELETE", _] => reply(
                stream,
                "502 Bad Gateway",
                r#"{"error":"Error querying /api/v1/trades/8/open-order: no active trade"}"#,
            ),
            _ => reply(stream, "404 Not Found", "{}"),
        });
        let api = api(&format!("{url}/ft/api/v1/"));
        assert_eq!(api.ping(SOON), Ok(()));
        assert!(!heard.recv().expect("a request").to_lowercase().contains("authorization"));
        let state = BotState { state: "running".into(), dry_run: Some(true), runmode: Some("dry_run".into()) };
        assert_eq!(api.state(SOON), Ok(state));
        // me:hunter2
        let request = heard.recv().expect("a request").to_lowercase();
        assert!(request.contains("authorization: basic bwu6ahvudgvymg=="), "{request}");
        assert_eq!(api.pause(SOON).as_deref(), Ok("paused, no more entries"));
        let trades = api.open_trades(SOON).expect("trades");
        assert_eq!(trades.len(), 2);
        assert_eq!((trades[0].trade_id, trades[0].open_orders.as_slice()), (7, ["b".to_owned()].as_slice()));
        assert!(api.cancel_open_order(7, SOON).expect("an answer").accepted);
        let said = api.cancel_open_order(8, SOON).expect("an answer");
        assert!(!said.accepted && said.text.ends_with("no active trade"), "{said:?}");
        assert_eq!(api.stop(SOON).as_deref(), Ok("stopping trader ..."));
    }

    #[test]
    fn every_failure_names_the_host_and_the_cause_and_no_password() {
        for (status, body, cause) in [
            ("401 Unauthorized", r#"{"detail":"Unauthorized hunter2"}"#, "does not accept the name and the password"),
            ("403 Forbidden", "", "forbids it"),
            ("404 Not Found", "", "no such thing"),
            ("500 Internal Server Error", "it was hunter2 \u{1b}[2J", "answers 500: it was *** ^[[2J"),
            ("502 Bad Gateway", r#"{"error":"no state bWU6aHVudGVyMg=="}"#, "answers 502: no state ***"),
            ("200 OK", "<html>", "no JSON"),
            ("200 OK", r#"{"a":1}"#, "no list of trades"),
            ("200 OK", "[{}]", "without a number"),
            ("302 Found\r\nLocation: http://127.0.0.1:1/", "", "not followed"),
            ("307 Temporary Redirect\r\nLocation: http://127.0.0.1:1/", "", "not followed"),
            ("nonsense", "", "HTTP"),
        ] {
            let (url, _heard) = server(move |_, stream| reply(stream, status, body));
            let api = api(&url);
            let why = api.open_trades(SOON).expect_err(status);
            assert!(why.starts_with(&format!("{}: ", api.host())) && why.contains(cause), "{status}: {why}");
            assert!(!why.contains("hunter2") && !format!("{api:?}").contains("hunter2"), "{why}");
        }
        let (url, _heard) = server(|_, stream| reply(stream, "200 OK", "[]"));
        let why = api(&url.replace("http:", "https:")).open_trades(SOON).expect_err("no TLS there");
        assert!(why.contains("no safe connection"), "{why}");
        let gone = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
        let why = api(&format!("http://{gone}")).pause(SOON).expect_err("nobody there");
        assert!(why.contains("refused"), "{why}");
    }

    #[test]
    fn whoever_hangs_or_floods_is_not_waited_for() {
        let begun = Instant::now();
        let hang = |_: &str, _: &mut TcpStream| thread::sleep(Duration::from_secs(30));
        let within = Duration::from_millis(200);
        let (url, _heard) = server(hang);
        let why = api(&url).stop(within).expect_err("no answer");
        assert!(why.contains("no answer within 0.2 s"), "{why}");
        // Drop by drop: every byte is in time, and the whole is not.
        let (url, _heard) = server(|_, stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
            while stream.write_all(b" ").is_ok() {
                thread::sleep(Duration::from_millis(20));
            }
        });
        let why = api(&url).open_trades(within).expect_err("too slow");
        assert!(why.contains("no answer within"), "{why}");
        let (url, _heard) = server(|_, stream| {
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
            let block = vec![b' '; 1 << 20];
            for _ in 0..20 {
                if stream.write_all(&block).is_err() {
                    return;
                }
            }
        });
        let why = api(&url).open_trades(SOON).expect_err("too much");
        assert!(why.contains("larger than 16 MiB"), "{why}");
        assert!(begun.elapsed() < Duration::from_secs(8));
    }

    #[test]
    fn addresses_and_passwords_that_are_none_are_said() {
        let make = |url: &str, variable: &str, around: &Surroundings| {
            let api = bot::Api { url: url.into(), username: "me".into(), password_env: variable.into() };
            Api::new(&api, around).map(|api| api.password)
        };
        for url in ["", "127.0.0.1:8080", "ftp://x", "http://me:hunter2@x", "http://x/?a=b", "http:// x"] {
            assert!(make(url, "FT_PASSWORD", &around()).is_err(), "{url}");
        }
        let why = make("http://x:1", "FT_ELSE", &around()).expect_err("no password");
        assert!(why.contains("FT_ELSE") && why.contains("x:1"), "{why}");
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("env");
        std::fs::write(&file, "FT_ELSE=from-file\nFT_PASSWORD=other\n").expect("written");
        let open = Surroundings { env_file: Some(file.clone()), ..around() };
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o644)).expect("open");
        let why = make("http://x:1", "FT_ELSE", &open).expect_err("open to others");
        assert!(why.contains("chmod 600") && !why.contains("from-file"), "{why}");
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("closed");
        assert_eq!(make("http://x:1", "FT_ELSE", &open).as_deref(), Ok("from-file"));
        assert_eq!(make("https://x:1", "FT_PASSWORD", &open).as_deref(), Ok("hunter2"));
    }
}
