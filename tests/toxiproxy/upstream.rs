//! Small upstreams for the tests: one that sends back what it gets, one that answers HTTP.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

/// How long a peer waits for anything.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// Sends back what it gets, for as long as the test runs. Returns its address.
pub(crate) fn echo() -> String {
    serve(|mut stream| {
        let mut buffer = [0; 16 * 1024];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            if stream.write_all(&buffer[..count]).is_err() {
                break;
            }
        }
    })
}

/// Answers each request head with `200 OK` and `hello`.
pub(crate) fn http() -> String {
    serve(|mut stream| {
        let mut head = Vec::new();
        let mut byte = [0];
        while let Ok(1) = stream.read(&mut byte) {
            head.push(byte[0]);
            if head.ends_with(b"\r\n\r\n") {
                head.clear();
                _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello");
            }
        }
    })
}

fn serve(each: fn(TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("an upstream");
    let address = listener.local_addr().expect("an address").to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || each(stream));
        }
    });
    address
}

/// A connection that does not wait for ever.
pub(crate) fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).expect("a connection");
    stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
    stream
}

/// Sends bytes and reads as many back.
pub(crate) fn there_and_back(stream: &mut TcpStream, bytes: &[u8]) -> Vec<u8> {
    stream.write_all(bytes).expect("sent");
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back).expect("sent back");
    back
}
