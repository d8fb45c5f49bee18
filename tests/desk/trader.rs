//! A bot that has orders: its state file is its venue, and a command that cancels them there. What each does wrong is
//! said on its command line.

use std::fmt::Write as _;

use serde_json::Value;

use crate::harness::Desk;

/// The bot: `bot.py N [words]`. It writes N orders, and on SIGTERM does what its words say.
const BOT: &str = r#"
import json, os, signal, sys, time
count, words = int(sys.argv[1]), sys.argv[2:]
def word(name, default=None):
    for one in words:
        if one == name: return True
        if one.startswith(name + '='): return one.split('=', 1)[1]
    return default
def load():
    with open('state.json') as file: return json.load(file)
def save(state):
    state['beat'] = time.time_ns()
    # Instances write to one file: each whole, by a name of its own.
    new = f'state.new.{os.getpid()}'
    with open(new, 'w') as file: json.dump(state, file)
    os.replace(new, 'state.json')
def order(number):
    one = {'order_id': f'V-{number}', 'client_order_id': f'c-{number}', 'product_id': 'BTC-USD', 'side': 'buy',
           'status': 'open', 'base_size': '0.0500', 'price': '61000.00'}
    if word('nameless'): one['order_id'] = None
    if word('guard') and number == 1: one['protective'] = True
    return one
def place(numbers):
    state = load()
    for number in numbers: state['open_orders'][f'c-{number}'] = order(number)
    save(state)
def tell(text):
    import socket
    address = os.environ['NOTIFY_SOCKET']
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out: out.sendto(text.encode(), '\0' + address[1:])
def end(*_):
    print('SHUTDOWN SIGNAL RECEIVED - Initiating graceful shutdown', flush=True)
    if word('fails'): print('ERROR: state transition RUNNING -> STOPPING failed: ValueError(42)', flush=True)
    if word('deaf'): return
    if word('late'): place([90])
    cancels = int(word('cancels', 0))
    if cancels:
        state = load()
        for key in list(state['open_orders'])[:cancels]: del state['open_orders'][key]
        save(state)
    elif word('flushes'):
        save(load())
    if word('says') is not None:
        print('GRACEFUL SHUTDOWN COMPLETE', flush=True)
        print('  Orders canceled:', word('says'), flush=True)
        print('  Cancel errors: 0', flush=True)
        print('  State flushed:', word('flushed', 'True'), flush=True)
    if word('notes'): tell(f"X_ORDERS_CANCELED={word('notes')}\nX_CANCEL_ERRORS=0\nX_STATE_FLUSHED=1")
    if word('lingers'):
        open('said', 'w').write('said\n')
        while not os.path.exists('leave'): time.sleep(0.01)
    os._exit(0)
save({'open_orders': {}})
place(range(1, count + 1))
signal.signal(signal.SIGTERM, end)
open('up', 'a').write('up\n')
while True: time.sleep(60)
"#;

/// The command: `cancel.py [words]`. It removes from the bot's file what it is told to cancel, unless its words say else.
/// What it is asked stands in `asked`, a line an attempt.
const CANCEL: &str = r"
import json, os, sys, time
words = sys.argv[1:]
asked = json.load(sys.stdin)
with open('asked', 'a') as file: file.write(json.dumps(asked) + '\n')
tries = sum(1 for _ in open('asked'))
ids = [one['order_id'] or one['client_order_id'] for one in asked['orders']]
if 'crash' in words: sys.exit('no such venue')
if 'nonsense' in words: print('\x1b[31mHello'); sys.exit(0)
if 'hang' in words: time.sleep(600)
if 'hang-in-batch' in words and len(ids) > 1: time.sleep(600)
if 'refuse-batch' in words and len(ids) > 1:
    for id in ids: print(json.dumps({'order_id': id, 'result': 'refused', 'message': 'one at a time'}))
    sys.exit(0)
with open('state.json') as file: state = json.load(file)
for one in asked['orders']:
    id = one['order_id'] or one['client_order_id']
    answer = {'order_id': id, 'result': 'canceled', 'message': None}
    if 'refuse=' + id in words: answer = {'order_id': id, 'result': 'refused', 'message': '429 Too Many \x1b[2JRequests'}
    elif 'late' in words and tries < 4: answer = {'order_id': id, 'result': 'refused', 'message': 'try later'}
    elif 'lie' in words: pass
    else: state['open_orders'].pop(one['client_order_id'], None)
    print(json.dumps(answer))
with open('state.new', 'w') as file: json.dump(state, file)
os.replace('state.new', 'state.json')
";

/// A desk with one bot named `bot`.
pub struct Trader {
    pub desk: Desk,
}

impl Trader {
    /// A bot with so many orders and these words, and more of its configuration.
    pub fn new(orders: usize, words: &[&str], more: &str) -> Self {
        let mut command = format!("'PYTHON', '-u', 'bot.py', '{orders}'");
        for word in words {
            let _ = write!(command, ", '{word}'");
        }
        let mode = if more.contains("mode =") { "" } else { "mode = 'paper'\n" };
        let desk = Desk::new(&format!(
            "[bots.bot]\ncommand = [{command}]\n{mode}restart = 'never'\nclaims = '247trader'\n\
             orders = {{ source = 'state-json', path = 'state.json' }}\n{more}"
        ));
        desk.write("bot.py", BOT);
        desk.write("cancel.py", CANCEL);
        Self { desk }
    }

    /// The same, with a cancel command that has these words and so much time.
    pub fn with_cancel(orders: usize, words: &[&str], cancel: &[&str], timeout: &str, more: &str) -> Self {
        let mut command = "'PYTHON', 'cancel.py'".to_owned();
        for word in cancel {
            let _ = write!(command, ", '{word}'");
        }
        let more = format!("{more}cancel = {{ command = [{command}], timeout = '{timeout}' }}\n");
        Self::new(orders, words, &more)
    }

    /// Starts it, and waits until its orders are there.
    pub fn start(self) -> Self {
        self.desk.run(&["start", "--yes", "bot"]).expect(0);
        self.desk.wait_for_lines("up", 1);
        // On record once its keeper has looked for a latch again: from then on one that comes does not kill it.
        self.desk.pid("bot");
        self
    }

    /// Stops it: the bot's part of the report, after the code was looked at.
    #[track_caller]
    pub fn stop(&self, code: i32) -> Value {
        self.report(&["stop", "--json", "bot"], code)
    }

    /// Runs a command that reports on the bot.
    #[track_caller]
    pub fn report(&self, args: &[&str], code: i32) -> Value {
        let done = self.desk.run(args).expect(code);
        let report = done.json();
        assert_eq!((&report["exit_code"], &report["ok"]), (&code.into(), &(code == 0).into()), "{report}");
        report["bots"][0].clone()
    }

    /// What its cancel command was asked, attempt by attempt: the ids.
    pub fn asked(&self) -> Vec<Vec<String>> {
        let text = self.desk.read("asked");
        let ids = |line: &str| -> Vec<String> {
            let asked: Value = serde_json::from_str(line).expect("its request");
            let orders = asked["orders"].as_array().expect("orders");
            orders
                .iter()
                .map(|order| {
                    order["order_id"].as_str().or(order["client_order_id"].as_str()).expect("an id").to_owned()
                })
                .collect()
        };
        text.lines().map(ids).collect()
    }
}

/// The figures of a report: before, canceled, errors, unconfirmed.
#[track_caller]
pub fn figures(bot: &Value) -> [u64; 4] {
    ["before", "canceled", "errors", "unconfirmed"]
        .map(|figure| bot["orders"][figure].as_u64().unwrap_or_else(|| panic!("no {figure}: {bot}")))
}

/// All errors of a bot's report, in one text.
pub fn errors(bot: &Value) -> String {
    texts(&bot["errors"])
}

/// All notes of it.
pub fn notes(bot: &Value) -> String {
    texts(&bot["notes"])
}

fn texts(list: &Value) -> String {
    let texts = list.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.collect::<Vec<_>>().join("\n")
}
