//! A driver: bullmq-compat tells it on standard input, one JSON object a line, what to do with the port.
//!
//!     driver                  serve on standard input and output
//!     driver --listen 9229    wait for `--impl attach:127.0.0.1:9229`, under a debugger
//!
//! Standard output is the protocol's alone: log with `eprintln!`.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{channel, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{json, Map, Value};

/// How a call ends when it has no result.
#[allow(dead_code)]
enum Problem {
    /// The port raised. The symbol is BullMQ's error: `bullmq-compat schema protocol` lists them.
    Raised { symbol: &'static str, text: String },
    NotImplemented(String),
}

/// The methods that are offered, as `capabilities` names them: add to it what `call` can do.
fn offered() -> Value {
    json!({"queue": [], "job": [], "worker": [], "events": [], "processor": [], "clock": false, "cluster": false})
}

/// One conversation with the harness.
struct Driver {
    output: Mutex<Box<dyn Write + Send>>,
    scenario: Mutex<Value>, // id, prefix, redis
    asked: Mutex<HashMap<u64, Sender<Value>>>,
}

#[allow(dead_code)]
impl Driver {
    fn new(output: Box<dyn Write + Send>) -> Arc<Self> {
        Arc::new(Driver { output: Mutex::new(output), scenario: Mutex::new(Value::Null), asked: Mutex::new(HashMap::new()) })
    }

    /// A method of the port. Keep what is opened in a map by `params["as"]`; `params["on"]` names it afterwards.
    ///
    /// In the port's processor: what shall this attempt do?
    ///     let answer = driver.ask("processor.call", json!({"worker": …, "job": {"id": …}, "token": …}));
    ///     … then return answer["end"]["return"], or fail with what answer["end"]["throw"] says
    fn call(&self, method: &str, _params: &Value) -> Result<Value, Problem> {
        Err(Problem::NotImplemented(format!("{method} is not implemented")))
    }

    /// Close everything that is open.
    fn end(&self) {}

    fn handle(&self, method: &str, params: &Value) -> Result<Value, Problem> {
        match method {
            "initialize" => Ok(json!({
                "protocol": "bullmq-compat/1", "name": "my-port", "version": "0.0.1", "language": "rust",
                "bullmq": "5.62.0", // the BullMQ version that the port claims to speak
                "capabilities": offered(),
            })),
            "ping" => Ok(Value::Null),
            "scenario.begin" => {
                *self.scenario.lock().unwrap() = params.clone();
                Ok(Value::Null)
            }
            "scenario.end" | "shutdown" => {
                self.end();
                Ok(Value::Null)
            }
            _ => self.call(method, params),
        }
    }

    /// Ask the harness (`processor.call`, `processor.gate`), and wait for its answer.
    fn ask(&self, method: &str, params: Value) -> Value {
        let (answer, answered) = channel();
        let id = {
            let mut asked = self.asked.lock().unwrap();
            let id = asked.keys().max().copied().unwrap_or(0) + 1;
            asked.insert(id, answer);
            id
        };
        self.write(json!({"id": id, "method": method, "params": params}));
        answered.recv().unwrap_or(Value::Null)
    }

    /// Tell the harness (`worker.event`, `queue.event`).
    fn tell(&self, method: &str, params: Value) {
        self.write(json!({"method": method, "params": params}));
    }

    fn write(&self, mut message: Value) {
        message["jsonrpc"] = json!("2.0");
        let mut output = self.output.lock().unwrap();
        writeln!(output, "{message}").and_then(|()| output.flush()).expect("the harness is gone");
    }

    fn answer(&self, message: &Map<String, Value>) {
        let method = message["method"].as_str().unwrap_or("");
        let mut reply = json!({"id": message.get("id")});
        match self.handle(method, message.get("params").unwrap_or(&Value::Null)) {
            Ok(result) => reply["result"] = result,
            Err(Problem::NotImplemented(text)) => reply["error"] = json!({"code": -32601, "message": text}),
            Err(Problem::Raised { symbol, text }) => {
                reply["error"] = json!({"code": -32000, "message": text, "data": {"bullmq": symbol, "message": text}})
            }
        }
        self.write(reply);
    }

    fn serve(self: &Arc<Self>, input: impl Read) {
        for line in BufReader::new(input).lines() {
            let line = line.expect("standard input can be read");
            let Ok(Value::Object(message)) = serde_json::from_str(&line) else { panic!("not a JSON object: {line}") };
            match message.get("method").and_then(Value::as_str) {
                None => {
                    let waiting = message.get("id").and_then(Value::as_u64).and_then(|id| self.asked.lock().unwrap().remove(&id));
                    if let Some(answer) = waiting {
                        let _ = answer.send(message.get("result").cloned().unwrap_or(Value::Null));
                    }
                }
                Some("shutdown") => {
                    self.answer(&message);
                    return;
                }
                Some(_) => {
                    let driver = Arc::clone(self);
                    thread::spawn(move || driver.answer(&message)); // calls are answered in whatever order they end
                }
            }
        }
        self.end();
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.iter().position(|word| word == "--listen").and_then(|at| arguments.get(at + 1)) {
        None => Driver::new(Box::new(std::io::stdout())).serve(std::io::stdin()),
        Some(port) => {
            let listener = TcpListener::bind(format!("127.0.0.1:{port}")).expect("the port is free");
            for connection in listener.incoming().flatten() {
                let output = connection.try_clone().expect("a socket can be written to");
                thread::spawn(move || Driver::new(Box::new(output)).serve(connection));
            }
        }
    }
}
