//! `cancel`: orders of bots that go on, through their cancel command or their own interface.

use std::process::Stdio;

use serde_json::Value;

use crate::harness::{Desk, alive, eventually};
use crate::trader::{Trader, errors, figures, notes};

#[test]
fn all_orders_of_a_bot_are_canceled_and_the_bot_goes_on() {
    let trader = Trader::with_cancel(3, &[], &[], "5s", "").start();
    let pid = trader.desk.pid("bot");
    let bot = trader.report(&["cancel", "--json", "bot"], 0);
    assert_eq!((figures(&bot), &bot["orders"]["verified"]), ([3, 3, 0, 0], &true.into()), "{bot}");
    assert_eq!((&bot["outcome"], alive(pid)), (&Value::Null, true));
    let said = trader.desk.run(&["cancel", "bot"]).expect(0).stdout;
    assert!(said.contains("bot: no order is open"), "what is canceled is canceled: {said}");
}

#[test]
fn a_chosen_order_is_canceled_and_the_others_stand() {
    let trader = Trader::with_cancel(3, &[], &[], "5s", "").start();
    let bot = trader.report(&["cancel", "--json", "bot", "--order", "V-2"], 0);
    assert_eq!((figures(&bot), trader.asked()), ([1, 1, 0, 0], vec![vec!["V-2".to_owned()]]), "{bot}");
    let open = trader.desk.run(&["orders", "--json", "bot"]).expect(0).json();
    assert_eq!(open["orders"].as_array().map(Vec::len), Some(2));
    let bot = trader.report(&["cancel", "--json", "bot", "--order", "c-3", "--order", "nobody"], 0);
    assert_eq!(figures(&bot), [1, 1, 0, 0], "by the bot's own id too: {bot}");
    assert!(notes(&bot).contains("no open order of it is called nobody"), "{bot}");
}

#[test]
fn the_command_is_told_what_it_has_to_know_in_the_surroundings_of_the_bot() {
    let trader = Trader::with_cancel(1, &[], &[], "5s", "env = { KEY = 'for the bot' }\n").start();
    trader.desk.write(
        "cancel.py",
        "import json, os, sys\nopen('request', 'w').write(sys.stdin.read())\n\
         open('env', 'w').write(json.dumps(dict(os.environ)) + os.getcwd())\n\
         open('state.json', 'w').write('{\"open_orders\":{}}')\n\
         print('{\"order_id\":\"V-1\",\"result\":\"canceled\",\"message\":null}')\n",
    );
    trader.report(&["cancel", "--json", "bot"], 0);
    let request: Value = serde_json::from_str(&trader.desk.read("request")).expect("one object");
    assert_eq!((&request["bot"], &request["mode"]), (&"bot".into(), &"paper".into()));
    assert!(request["deadline_ms"].as_u64().is_some_and(|ms| ms > 0 && ms <= 5000), "{request}");
    let order = &request["orders"][0];
    assert_eq!(
        (&order["order_id"], &order["quantity"], &order["side"]),
        (&"V-1".into(), &"0.0500".into(), &"buy".into())
    );
    let env = trader.desk.read("env");
    assert!(env.contains("for the bot") && env.ends_with(trader.desk.folder().to_str().expect("UTF-8")), "{env}");
    assert!(!env.contains("BOTWARDEN_BOT") && !env.contains("NOTIFY_SOCKET"), "{env}");
}

#[test]
fn in_dry_run_nothing_is_canceled() {
    let trader = Trader::with_cancel(2, &[], &[], "5s", "mode = 'dry-run'\n").start();
    let bot = trader.report(&["cancel", "--json", "bot"], 0);
    assert_eq!((&bot["orders"]["skipped"], trader.asked().len()), (&2.into(), 0), "{bot}");
}

#[test]
fn a_live_bot_needs_a_yes_where_nobody_can_be_asked() {
    let trader = Trader::with_cancel(1, &[], &[], "5s", "mode = 'live'\n").start();
    let done = trader.desk.run(&["cancel", "bot"]).expect(2);
    assert!(done.stderr.contains("cancel of live bots (bot) needs --yes"), "{}", done.stderr);
    assert!(trader.asked().is_empty());
    assert_eq!(figures(&trader.report(&["cancel", "--json", "--yes", "bot"], 0)), [1, 1, 0, 0]);
}

#[test]
fn what_nobody_can_cancel_is_said() {
    let trader = Trader::new(2, &[], "").start();
    let bot = trader.report(&["cancel", "--json", "bot"], 11);
    assert!(errors(&bot).contains("only the bot itself can cancel them: it has no cancel command"), "{bot}");
    assert_eq!(figures(&bot), [2, 0, 0, 2]);
}

#[test]
fn a_bot_whose_orders_nobody_can_read_is_not_said_to_have_none() {
    let desk = Desk::new("[bots.bot]\ncommand = ['/bin/sleep', '600']\nmode = 'paper'\n");
    let done = desk.run(&["cancel", "--json", "bot"]).expect(1);
    assert_eq!(done.json()["bots"][0]["orders"], Value::Null);
    assert!(done.stdout.contains("its orders are unknown"), "{}", done.stdout);
    assert!(desk.run(&["cancel", "bot"]).expect(1).stdout.contains("bot: NOT CANCELED"));
}

#[test]
fn an_unknown_bot_and_an_order_of_several_bots_are_mistakes() {
    let desk = Desk::new("[defaults]\ncommand = ['/bin/true']\nmode = 'paper'\n[bots.a]\n[bots.b]\n");
    desk.run(&["cancel", "nobody"]).expect(2);
    let done = desk.run(&["cancel", "--all", "--order", "V-1"]).expect(2);
    assert!(done.stderr.contains("--order names orders of one bot"), "{}", done.stderr);
}

#[test]
fn a_cancelation_that_is_left_goes_on() {
    let trader = Trader::with_cancel(1, &[], &["late"], "20s", "").start();
    let desk = &trader.desk;
    let mut cancel =
        desk.command(&["cancel", "bot"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("it runs");
    desk.wait_for_lines("asked", 1);
    cancel.kill().expect("it is ours");
    let _ = cancel.wait();
    desk.wait_for_lines("asked", 4);
    eventually("the end of its orders", || {
        let open = desk.run(&["orders", "--json", "bot"]).expect(0).json();
        (open["orders"].as_array().map(Vec::len) == Some(0)).then_some(())
    });
}

#[test]
fn two_at_once_are_one() {
    let trader = Trader::with_cancel(3, &[], &[], "10s", "").start();
    let desk = &trader.desk;
    let both: Vec<_> = (0..2)
        .map(|_| desk.command(&["cancel", "--json", "bot"]).stdout(Stdio::piped()).spawn().expect("it runs"))
        .collect();
    for one in both {
        let output = one.wait_with_output().expect("its end");
        assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    }
    assert_eq!(trader.asked().len(), 1, "the second found nothing left to cancel");
}

/// A freqtrade that has two trades with an open order each, in its database and on its interface. What is asked of it
/// stands in `calls`.
const FREQTRADE: &str = r#"
import base64, http.server, json, os, signal, sqlite3, sys, threading, time
db = sqlite3.connect('trades.sqlite', check_same_thread=False, isolation_level=None)
db.executescript('''
PRAGMA journal_mode=WAL;
CREATE TABLE IF NOT EXISTS trades (id INTEGER PRIMARY KEY, exchange TEXT, pair TEXT, is_open INTEGER, amount REAL, open_rate REAL,
  strategy TEXT, is_short INTEGER, trading_mode TEXT);
CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY, ft_trade_id INTEGER, ft_order_side TEXT, ft_pair TEXT, ft_is_open INTEGER,
  ft_amount REAL, ft_price REAL, ft_cancel_reason TEXT, order_id TEXT, status TEXT, symbol TEXT, order_type TEXT, side TEXT,
  price REAL, average REAL, amount REAL, filled REAL, remaining REAL, cost REAL, stop_price REAL, order_date TEXT,
  order_filled_date TEXT, order_update_date TEXT);
DELETE FROM trades; DELETE FROM orders;
INSERT INTO trades VALUES (1,'kraken','ETH/USD',1,1.5,2400.0,'s',0,'SPOT'), (2,'kraken','BTC/USD',1,0.05,61000.0,'s',0,'SPOT');
INSERT INTO orders (id,ft_trade_id,ft_order_side,ft_pair,ft_is_open,ft_amount,ft_price,order_id,status,symbol,order_type,side,price,amount,filled,order_date)
 VALUES (1,1,'buy','ETH/USD',1,1.5,2400.0,'E-1','open','ETH/USD','limit','buy',2400.0,1.5,0.0,'2026-11-21 10:00:00.000000'),
        (2,2,'sell','BTC/USD',1,0.05,62000.0,'X-1','open','BTC/USD','limit','sell',62000.0,0.05,0.0,'2026-11-21 10:00:00.000000');
''')
words = sys.argv[1:]
def note(text):
    with open('calls', 'a') as file: file.write(text + '\n')
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def answer(self, code, body):
        text = json.dumps(body).encode()
        self.send_response(code); self.send_header('Content-Length', str(len(text))); self.end_headers(); self.wfile.write(text)
    def allowed(self):
        if self.headers.get('Authorization') == 'Basic ' + base64.b64encode(b'ana:s3cret').decode(): return True
        note('401'); self.answer(401, {'detail': 'Unauthorized'})
    def do_POST(self):
        if not self.allowed(): return
        if 'slow' in words: time.sleep(60)
        note('POST ' + self.path); self.answer(200, {'status': 'ok'})
    def do_GET(self):
        if not self.allowed(): return
        rows = db.execute('SELECT ft_trade_id, order_id FROM orders WHERE ft_is_open = 1').fetchall()
        self.answer(200, [{'trade_id': trade, 'pair': 'X', 'orders': [{'order_id': id, 'is_open': True}]} for trade, id in rows])
    def do_DELETE(self):
        if not self.allowed(): return
        note('DELETE ' + self.path)
        trade = int(self.path.split('/')[-2])
        if 'stuck' in words: self.answer(500, {'error': 'exchange down'})
        elif trade == 1:
            # A canceled entry is deleted, and answered as if it had failed.
            db.execute('DELETE FROM orders WHERE ft_trade_id = 1'); db.execute('DELETE FROM trades WHERE id = 1')
            self.answer(502, {'error': 'no active trade'})
        else:
            db.execute("UPDATE orders SET ft_is_open = 0, status = 'canceled' WHERE ft_trade_id = ?", (trade,))
            self.answer(200, {'status': 'ok'})
server = http.server.ThreadingHTTPServer(('127.0.0.1', int(open('port').read()) if os.path.exists('port') else 0), Handler)
def end(*_):
    note('SIGTERM'); os._exit(0)
signal.signal(signal.SIGTERM, end)
threading.Thread(target=server.serve_forever, daemon=True).start()
with open('bound', 'w') as file: file.write(f'{server.server_address[1]}\n')
threading.Event().wait()
"#;

/// A desk with a freqtrade that listens.
pub fn freqtrade(words: &str, password: &str, more: &str) -> Desk {
    // A port that was free a moment ago; whoever takes it meanwhile makes the bot fail to start, not the test to lie.
    let port = std::net::TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    let desk = Desk::new(&format!(
        "[bots.bot]\ncommand = ['PYTHON', 'freq.py'{words}]\nmode = 'paper'\nrestart = 'never'\n\
         env = {{ FT_PASSWORD = '{password}' }}\n{more}\
         orders = {{ source = 'freqtrade', path = 'trades.sqlite', \
         api = {{ url = 'http://127.0.0.1:{port}', username = 'ana', password_env = 'FT_PASSWORD' }} }}\n"
    ));
    desk.write("freq.py", FREQTRADE);
    desk.write("port", &port.to_string());
    desk.run(&["start", "bot"]).expect(0);
    desk.wait_for_lines("bound", 1);
    // On record once its keeper has looked for a latch again: from then on one that comes does not kill it.
    desk.pid("bot");
    desk
}

#[test]
fn a_freqtrade_is_paused_has_its_orders_canceled_and_is_stopped_before_it_is_told() {
    let desk = freqtrade("", "s3cret", "");
    let report = desk.run(&["stop", "--json", "bot"]).expect(0).json();
    assert_eq!(figures(&report["bots"][0]), [2, 2, 0, 0], "{report}");
    let calls = desk.read("calls");
    let calls: Vec<&str> = calls.lines().collect();
    assert_eq!((calls.first(), calls.last()), (Some(&"POST /api/v1/pause"), Some(&"SIGTERM")), "{calls:?}");
    let stop = calls.iter().position(|call| *call == "POST /api/v1/stop").expect("told to stop");
    let canceled = calls.iter().rposition(|call| call.starts_with("DELETE")).expect("told to cancel");
    assert!(canceled < stop, "after a stop it would not cancel any more: {calls:?}");
    assert!(!report.to_string().contains("s3cret"));
}

#[test]
fn a_freqtrade_whose_orders_are_canceled_stays_paused_and_alive() {
    let desk = freqtrade("", "s3cret", "");
    let pid = desk.pid("bot");
    let report = desk.run(&["cancel", "--json", "bot"]).expect(0).json();
    let bot = &report["bots"][0];
    assert_eq!((figures(bot), alive(pid)), ([2, 2, 0, 0], true), "{report}");
    assert!(notes(bot).contains("it is paused"), "{report}");
    assert!(!desk.read("calls").contains("/stop"));
}

#[test]
fn a_freqtrade_that_does_not_let_us_in_is_stopped_all_the_same_and_its_orders_are_not_confirmed() {
    let desk = freqtrade("", "wrong", "");
    let report = desk.run(&["stop", "--json", "bot"]).expect(11).json();
    let bot = &report["bots"][0];
    assert_eq!((figures(bot), &bot["outcome"]), ([2, 0, 0, 2], &"stopped".into()), "{report}");
    assert!(errors(bot).contains("not paused over its interface") && errors(bot).contains("401"), "{report}");
    assert!(!report.to_string().contains("wrong"), "no password in a report");
}

#[test]
fn what_a_freqtrade_cannot_cancel_its_cancel_command_does() {
    let cancel = "cancel = { command = ['PYTHON', 'away.py'], timeout = '2s' }\n";
    let desk = freqtrade(", 'stuck'", "s3cret", cancel);
    desk.write(
        "away.py",
        "import json, sqlite3, sys\nfor one in json.load(sys.stdin)['orders']:\n\
         \x20   db = sqlite3.connect('trades.sqlite', timeout=10)\n\
         \x20   db.execute('UPDATE orders SET ft_is_open = 0 WHERE order_id = ?', (one['order_id'],))\n    db.commit()\n\
         \x20   print(json.dumps({'order_id': one['order_id'], 'result': 'canceled', 'message': None}))\n",
    );
    let report = desk.run(&["stop", "--json", "bot"]).expect(0).json();
    assert_eq!(figures(&report["bots"][0]), [2, 2, 0, 0], "{report}");
}
