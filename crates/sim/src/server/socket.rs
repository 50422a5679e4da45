//! The two halves of a socket: one writes what the hub hands out, one listens to the client.

use crate::server::conn::Chunk;
use crate::server::{SharedCore, session};
use crate::wire::frame::{CloseCode, FrameAssembler, Opcode};
use hyper::upgrade::{Parts, Upgraded};
use hyper_util::rt::TokioIo;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc;

/// Runs a socket until either side ends it.
pub(crate) async fn run(
    shared: &SharedCore,
    upgraded: Upgraded,
    rx: mpsc::Receiver<Chunk>,
    waiting: &AtomicUsize,
    (slot, id): (usize, u64),
    deflate: bool,
) {
    let Ok(Parts { io, read_buf, .. }) = upgraded.downcast::<TokioIo<TcpStream>>() else { return };
    let (read, write) = io.into_inner().into_split();
    tokio::select! {
        () = listen(shared, read, FrameAssembler::new(deflate), &read_buf, (slot, id)) => {}
        () = speak(write, rx, waiting) => {}
    }
}

async fn speak(mut write: OwnedWriteHalf, mut rx: mpsc::Receiver<Chunk>, waiting: &AtomicUsize) {
    while let Some(chunk) = rx.recv().await {
        match chunk {
            Chunk::Bytes(bytes) => {
                if write.write_all(&bytes).await.is_err() {
                    return;
                }
                waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
            }
            Chunk::End => break,
        }
    }
    // A client that has already gone cannot be answered.
    drop(write.shutdown().await);
}

async fn listen(
    shared: &SharedCore,
    mut read: OwnedReadHalf,
    mut reader: FrameAssembler,
    first: &[u8],
    (slot, id): (usize, u64),
) {
    reader.feed(first);
    let mut chunk = [0; 8 * 1024];
    loop {
        if !understand(shared, &mut reader, slot, id) {
            return;
        }
        match read.read(&mut chunk).await {
            Ok(n) if n > 0 => reader.feed(&chunk[..n]),
            Ok(_) | Err(_) => return,
        }
    }
}

/// Handles every whole message; false when the client said goodbye.
fn understand(shared: &SharedCore, reader: &mut FrameAssembler, slot: usize, id: u64) -> bool {
    loop {
        let next = reader.next();
        let mut core = shared.lock();
        let now = core.now();
        match next {
            Ok(None) => return true,
            Ok(Some(message)) => match message.opcode {
                Opcode::Close => {
                    if let Some(conn) = core.hub.conn(slot, id).filter(|c| !c.silent) {
                        conn.close(1000, "");
                    }
                    return true;
                }
                Opcode::Ping => {
                    if let Some(conn) = core.hub.conn(slot, id) {
                        conn.pong(&message.payload);
                        conn.flush(now);
                    }
                }
                Opcode::Pong => {
                    if let Some(conn) = core.hub.conn(slot, id) {
                        conn.heard = now;
                    }
                }
                Opcode::Text | Opcode::Binary | Opcode::Continuation => {
                    session::request(&mut core, slot, id, &message.payload);
                }
            },
            Err(refused) => {
                if let Some(conn) = core.hub.conn(slot, id) {
                    match refused {
                        CloseCode::Protocol => conn.close(1002, "protocol error"),
                        CloseCode::TooBig => conn.close(1009, "message too big"),
                    }
                }
                return true;
            }
        }
    }
}
