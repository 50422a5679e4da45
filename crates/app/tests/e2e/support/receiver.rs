//! A receiver of alerts on loopback: takes requests on kept connections, remembers them, answers as a test has set it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

/// One request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: String,
}

impl Taken {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.body))
    }
    pub(crate) fn id(&self) -> &str {
        &self.headers["webhook-id"]
    }
}

#[derive(Debug)]
pub(crate) struct Receiver {
    pub(crate) addr: SocketAddr,
    taken: Arc<Mutex<Vec<Taken>>>,
    status: Arc<AtomicU16>,
}

impl Receiver {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let addr = listener.local_addr().unwrap();
        let (taken, status) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicU16::new(200)));
        let (all, told) = (Arc::clone(&taken), Arc::clone(&status));
        // Ends with the test's process; each connection with its peer.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (all, told) = (Arc::clone(&all), Arc::clone(&told));
                std::thread::spawn(move || serve(&stream, &all, &told));
            }
        });
        Self { addr, taken, status }
    }

    /// Answers with this from now on.
    pub(crate) fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }

    /// The table of the settings that names it.
    pub(crate) fn table(&self, name: &str, format: &str, more: &str) -> String {
        let addr = self.addr;
        format!(
            "[[receiver]]\nname = \"{name}\"\nformat = \"{format}\"\nurl = \"http://{addr}/hook/{name}\"\nallow_http = true\n\
             allow_private = [\"127.0.0.1/32:{}\"]\n{more}\n",
            addr.port()
        )
    }
}

fn serve(stream: &TcpStream, all: &Mutex<Vec<Taken>>, status: &AtomicU16) {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let mut headers = BTreeMap::new();
        loop {
            let mut field = String::new();
            if reader.read_line(&mut field).unwrap_or(0) == 0 {
                return;
            }
            match field.trim_end().split_once(':') {
                Some((name, value)) => headers.insert(name.to_ascii_lowercase(), value.trim().to_owned()),
                None => break,
            };
        }
        let length = headers.get("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        if reader.read_exact(&mut body).is_err() {
            return;
        }
        let taken = Taken { headers, body: String::from_utf8(body).unwrap() };
        // Taken before it is answered: who is killed in between sends it again.
        all.lock().unwrap().push(taken);
        let status = status.load(Ordering::SeqCst);
        let answer = format!("HTTP/1.1 {status} told\r\ncontent-length: 2\r\n\r\nok");
        if writer.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}
