//! Compressed messages, read by hand: the client library of the other tests does not know them.

use crate::client::server;
use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const TAIL: [u8; 4] = [0, 0, 0xFF, 0xFF];

async fn frame(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    let first = stream.read_u8().await.unwrap();
    let len = match stream.read_u8().await.unwrap() {
        126 => usize::from(stream.read_u16().await.unwrap()),
        short => usize::from(short),
    };
    let mut payload = vec![0; len];
    stream.read_exact(&mut payload).await.unwrap();
    (first, payload)
}

fn inflate(mut payload: Vec<u8>) -> String {
    payload.extend(TAIL);
    let mut out = Vec::with_capacity(64 * 1024);
    Decompress::new(false).decompress_vec(&payload, &mut out, FlushDecompress::Sync).unwrap();
    String::from_utf8(out).unwrap()
}

#[tokio::test]
async fn messages_are_compressed_both_ways_when_both_want_it() {
    for (agreed, offer) in [(true, true), (false, true), (true, false)] {
        let handle = server(5.0, |c| c.deflate = agreed).await;
        let mut stream = TcpStream::connect(handle.addr).await.unwrap();
        let extension =
            if offer { "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n" } else { "" };
        let head = "Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n";
        let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
        let request = format!("GET /binance-usdm/market/stream HTTP/1.1\r\n{head}{key}{extension}\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\n") {
            answer.push(stream.read_u8().await.unwrap());
        }
        let answer = String::from_utf8(answer).unwrap().to_lowercase();
        let on = agreed && offer;
        assert_eq!(answer.contains("permessage-deflate; server_no_context_takeover"), on, "{answer}");
        assert!(answer.contains("s3pplmbitxaq9kygzzhzrbk+xoo="), "the key of RFC 6455 section 1.3");
        let text = b"{\"method\":\"SUBSCRIBE\",\"params\":[\"btcusdt@aggTrade\"],\"id\":1}";
        let mut payload = text.to_vec();
        if on {
            payload = Vec::with_capacity(1_024);
            Compress::new(Compression::fast(), false).compress_vec(text, &mut payload, FlushCompress::Sync).unwrap();
            assert!(payload.ends_with(&TAIL));
            payload.truncate(payload.len() - TAIL.len());
        }
        let mut message = vec![if on { 0xC1 } else { 0x81 }, 0x80 | u8::try_from(payload.len()).unwrap(), 0, 0, 0, 0];
        message.extend(&payload);
        stream.write_all(&message).await.unwrap();
        for n in 0..10 {
            let (first, payload) = frame(&mut stream).await;
            assert_eq!(first, if on { 0xC1 } else { 0x81 });
            let text = if on { inflate(payload) } else { String::from_utf8(payload).unwrap() };
            let begins = if n == 0 { "{\"result\":null,\"id\":1}" } else { "{\"stream\":\"btcusdt@aggTrade\"" };
            assert!(text.starts_with(begins), "{text}");
        }
    }
}
