//! The two ends around a proxy, to measure what it does to time and rate. Prints `name=value` words.
//!
//! ```text
//! proxy_client server LISTEN                       echoes, or sends as much as it is asked for
//! proxy_client latency ADDR RATE CONNECTIONS SECONDS EXPECTED_MS
//! proxy_client bandwidth ADDR BYTES EXPECTED_KB_PER_S
//! proxy_client hold ADDR CONNECTIONS SECONDS       opens them, pings each, waits, pings each again
//! ```

use std::time::{Duration, Instant};

use support::{Failure, quantile};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

mod support;

/// Nine bytes: what is asked for, and a number.
const ECHO: u8 = b'E';
const SEND: u8 = b'S';

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failure> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    match args.as_slice() {
        ["server", listen] => server(TcpListener::bind(listen).await?).await,
        ["latency", addr, rate, connections, seconds, expected] => {
            latency(addr, rate.parse()?, connections.parse()?, seconds.parse()?, expected.parse()?).await
        }
        ["bandwidth", addr, bytes, rate] => bandwidth(addr, bytes.parse()?, rate.parse()?).await,
        ["hold", addr, connections, seconds] => hold(addr, connections.parse()?, seconds.parse()?).await,
        _ => Err("usage: proxy_client server|latency|bandwidth|hold ..".into()),
    }
}

async fn server(listener: TcpListener) -> Result<(), Failure> {
    loop {
        let (mut stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(async move {
            let mut asked = [0; 9];
            while stream.read_exact(&mut asked).await.is_ok() {
                let [kind, number @ ..] = asked;
                if kind == ECHO {
                    stream.write_all(&asked).await?;
                } else if kind == SEND {
                    let (block, mut left) = (vec![7; 1 << 16], u64::from_be_bytes(number));
                    while left > 0 {
                        let now = usize::try_from(left).map_or(block.len(), |left| left.min(block.len()));
                        stream.write_all(&block[..now]).await?;
                        left -= now as u64;
                    }
                }
            }
            Ok::<_, std::io::Error>(())
        });
    }
}

async fn connect(addr: &str) -> Result<TcpStream, Failure> {
    let stream = TcpStream::connect(addr).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn ask(kind: u8, number: u64) -> [u8; 9] {
    let mut asked = [kind; 9];
    asked[1..].copy_from_slice(&number.to_be_bytes());
    asked
}

async fn ping(stream: &mut TcpStream, number: u64) -> Result<Duration, Failure> {
    let asked = ask(ECHO, number);
    let start = Instant::now();
    stream.write_all(&asked).await?;
    let mut answer = [0; 9];
    stream.read_exact(&mut answer).await?;
    let took = start.elapsed();
    if answer == asked { Ok(took) } else { Err("another answer than was asked for".into()) }
}

/// Round trips at a fixed rate, spread over connections, against what they should take.
async fn latency(
    addr: &str,
    rate: f64,
    connections: u32,
    seconds: f64,
    expected_ms: f64,
) -> Result<(), Failure> {
    let every = Duration::from_secs_f64(f64::from(connections) / rate);
    let each = (seconds * rate / f64::from(connections)) as u32;
    let mut tasks = JoinSet::new();
    let begin = Instant::now() + Duration::from_millis(200);
    for index in 0..connections {
        let mut stream = connect(addr).await?;
        let first = begin + Duration::from_secs_f64(f64::from(index) / rate);
        tasks.spawn(async move {
            let mut took = Vec::new();
            for number in 0..each {
                tokio::time::sleep_until((first + every * number).into()).await;
                took.push(ping(&mut stream, u64::from(number)).await?.as_secs_f64() * 1e3 - expected_ms);
            }
            Ok::<_, Failure>(took)
        });
    }
    let mut errors = Vec::new();
    while let Some(took) = tasks.join_next().await {
        errors.extend(took??);
    }
    errors.sort_by(f64::total_cmp);
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    let [p50, p99, max] = [0.5, 0.99, 1.0].map(|share| quantile(&errors, share));
    println!("n={} mean={mean:.3} p50={p50:.3} p99={p99:.3} max={max:.3}", errors.len());
    Ok(())
}

/// One long answer: its rate, and that of its 100 ms windows, against what they should be.
async fn bandwidth(addr: &str, bytes: u64, expected: f64) -> Result<(), Failure> {
    let mut stream = connect(addr).await?;
    stream.write_all(&ask(SEND, bytes)).await?;
    let start = Instant::now();
    let (mut left, mut windows, mut buffer) = (bytes, vec![0u64; 1], vec![0; 1 << 16]);
    while left > 0 {
        let read = stream.read(&mut buffer).await? as u64;
        if read == 0 {
            return Err(format!("{left} of {bytes} bytes are missing").into());
        }
        left -= read;
        let window = (start.elapsed().as_millis() / 100) as usize;
        windows.resize(windows.len().max(window + 1), 0);
        windows[window] += read;
    }
    let rate = bytes as f64 / start.elapsed().as_secs_f64() / 1000.0;
    windows.pop();
    let shares: Vec<f64> = windows.iter().map(|bytes| *bytes as f64 / (expected * 100.0)).collect();
    let [least, most] =
        [shares.iter().copied().fold(9.9, f64::min), shares.iter().copied().fold(0.0, f64::max)];
    println!(
        "rate={rate:.2} ratio={:.5} windows={} least={least:.3} most={most:.3}",
        rate / expected,
        shares.len(),
    );
    Ok(())
}

async fn hold(addr: &str, connections: u64, seconds: u64) -> Result<(), Failure> {
    let mut streams = Vec::new();
    for number in 0..connections {
        let mut stream = connect(addr).await?;
        ping(&mut stream, number).await?;
        streams.push(stream);
    }
    println!("open={}", streams.len());
    tokio::time::sleep(Duration::from_secs(seconds)).await;
    let mut alive = 0;
    for stream in &mut streams {
        alive += u64::from(ping(stream, 1).await.is_ok());
    }
    println!("alive={alive}");
    Ok(())
}
