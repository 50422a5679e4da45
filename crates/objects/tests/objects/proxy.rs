//! Between a client and a server: passes requests on one by one, and does to some of them what networks and servers do.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// Answered with this status and body; the server never sees it.
    Answer(u16, &'static str),
    /// The connection is lost after so many bytes of its body; the server never sees it.
    CutRequest(usize),
    /// The server gets it and answers; the connection is lost after so many bytes of the answer.
    CutAnswer(usize),
    /// Nothing more happens to it for a minute.
    Hang,
}

/// A request that came by.
#[derive(Clone, Debug)]
pub(crate) struct Passed {
    /// Method, path and query, as `PUT /lake/a?partNumber=1`.
    pub(crate) line: String,
    /// Its headers.
    pub(crate) head: String,
    /// Did the server get it?
    pub(crate) served: bool,
}

/// What is done to requests whose method, path and headers hold a text; in order, each once.
type Plan = Arc<Mutex<Vec<(&'static str, Fault)>>>;

pub(crate) struct Proxy {
    port: u16,
    plan: Plan,
    passed: Arc<Mutex<Vec<Passed>>>,
}

impl Proxy {
    pub(crate) fn start(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (plan, passed) = (Plan::default(), Arc::default());
        let (with, into) = (Arc::clone(&plan), Arc::clone(&passed));
        // Ends with the test program: it waits for connections that do not come.
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (with, into) = (Arc::clone(&with), Arc::clone(&into));
                std::thread::spawn(move || drop(serve(&mut client.unwrap(), server, &with, &into)));
            }
        });
        Self { port, plan, passed }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Adds to what is done.
    pub(crate) fn plan(&self, requests: &'static str, faults: impl IntoIterator<Item = Fault>) {
        self.plan.lock().unwrap().extend(faults.into_iter().map(|fault| (requests, fault)));
    }

    /// What was planned and did not happen.
    pub(crate) fn left(&self) -> usize {
        self.plan.lock().unwrap().len()
    }

    /// What came by since the last call.
    pub(crate) fn take(&self) -> Vec<Passed> {
        core::mem::take(&mut self.passed.lock().unwrap())
    }

    /// Requests that came by and are not taken yet whose line holds a text.
    pub(crate) fn count(&self, text: &str) -> usize {
        self.passed.lock().unwrap().iter().filter(|p| p.line.contains(text)).count()
    }
}

fn serve(
    client: &mut TcpStream,
    server: u16,
    plan: &Mutex<Vec<(&'static str, Fault)>>,
    passed: &Mutex<Vec<Passed>>,
) -> std::io::Result<()> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        client.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let line = head.lines().next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    let length = head.lines().find_map(|l| l.to_lowercase().strip_prefix("content-length:")?.trim().parse().ok());
    let fault = {
        let mut plan = plan.lock().unwrap();
        let at = plan.iter().position(|(text, _)| head.contains(text));
        at.map(|at| plan.remove(at).1)
    };
    let served = matches!(fault, None | Some(Fault::CutAnswer(_)));
    passed.lock().unwrap().push(Passed { line, head: head.clone(), served });
    let length: usize = length.unwrap_or(0);
    if let Some(Fault::CutRequest(bytes)) = fault {
        client.read_exact(&mut vec![0; bytes.min(length)])?;
        return client.shutdown(Shutdown::Both);
    }
    let mut body = vec![0; length];
    client.read_exact(&mut body)?;
    match fault {
        Some(Fault::Answer(status, text)) => {
            let length = text.len();
            write!(client, "HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{text}")
        }
        Some(Fault::Hang) => {
            std::thread::sleep(std::time::Duration::from_secs(60));
            Ok(())
        }
        _ => {
            let mut upstream = TcpStream::connect(("127.0.0.1", server))?;
            upstream.write_all(head.replacen("\r\n", "\r\nconnection: close\r\n", 1).as_bytes())?;
            upstream.write_all(&body)?;
            let mut answer = Vec::new();
            upstream.read_to_end(&mut answer)?;
            // The server's answer names a connection that ends too.
            let bytes = if let Some(Fault::CutAnswer(bytes)) = fault { bytes.min(answer.len()) } else { answer.len() };
            client.write_all(&answer[..bytes])?;
            client.shutdown(Shutdown::Both)
        }
    }
}
