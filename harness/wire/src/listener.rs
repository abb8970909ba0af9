//! The listening side of a link: open, refusing, or a black hole, and our own probe that says whether it is
//! so.

use std::collections::HashSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep, timeout};

use crate::connection::{Connection, Control};
use crate::stream::{Stream, Tls};
use crate::wire::Wire;

/// Connections the kernel may hold for us.
const BACKLOG: i32 = 1024;
/// How long a probe waits before it calls the silence a black hole.
const PROBE: Duration = Duration::from_millis(300);
/// How long connections may take to be reset: they are told at once, and do it when they are next run.
const RESET: Duration = Duration::from_secs(1);
/// How long a listener that must come back is tried again.
const REBIND: Duration = Duration::from_secs(5);

/// What the gateway meets when it connects.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ListenerState {
    /// Connections are served.
    Open,
    /// Connections are refused, open ones were reset.
    Refuse,
    /// Connection attempts get no answer, open connections are silent.
    Blackhole,
}

/// A request to the listener's task.
#[derive(Debug)]
pub(crate) enum Command {
    /// Go to a state; the answer is our probe's.
    Set { state: ListenerState, fault: Option<u16>, done: oneshot::Sender<bool> },
    /// Reset all open connections.
    Reset { fault: Option<u16>, done: oneshot::Sender<()> },
}

/// The task that accepts connections.
pub(crate) struct Listener {
    wire: Arc<Wire>,
    /// Bound and never listening: keeps the port ours while nobody listens on it.
    _reserved: Socket,
    addr: SocketAddr,
    socket: Option<TcpListener>,
    state: ListenerState,
    control: watch::Sender<Control>,
    /// Open while any connection task lives.
    alive: mpsc::Sender<()>,
    /// Held by every connection since the last reset.
    epoch: Arc<()>,
    next: u32,
    /// Our own probes and fillers, which are no connections of the gateway.
    own: HashSet<SocketAddr>,
    fillers: Vec<TcpStream>,
}

impl Listener {
    pub(crate) fn bind(
        wire: Arc<Wire>,
        control: watch::Sender<Control>,
        alive: mpsc::Sender<()>,
    ) -> io::Result<Self> {
        let reserved = bound(wire.config.listen)?;
        let addr = reserved.local_addr()?.as_socket().unwrap_or(wire.config.listen);
        let socket = Some(listen(addr)?);
        Ok(Self {
            wire,
            _reserved: reserved,
            addr,
            socket,
            state: ListenerState::Open,
            control,
            alive,
            epoch: Arc::default(),
            next: 0,
            own: HashSet::new(),
            fillers: Vec::new(),
        })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Accepts and obeys until the link is dropped or stopped.
    pub(crate) async fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        loop {
            tokio::select! {
                biased;
                command = commands.recv() => match command {
                    None => return,
                    Some(Command::Reset { fault, done }) => {
                        self.reset(fault).await;
                        _ = done.send(());
                    }
                    Some(Command::Set { state, fault, done }) => {
                        let confirmed = self.set(state, fault).await;
                        _ = done.send(confirmed);
                    }
                },
                accepted = self.accept() => match accepted {
                    Ok((stream, peer)) => self.take(stream, peer),
                    // Out of descriptors, or a connection that is gone already: the next one may do better.
                    Err(_) => sleep(Duration::from_millis(10)).await,
                },
            }
        }
    }

    async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        match &self.socket {
            Some(socket) if self.state == ListenerState::Open => {
                let (stream, peer) = socket.accept().await?;
                stream.set_nodelay(true)?;
                Ok((stream, peer))
            }
            _ => std::future::pending().await,
        }
    }

    fn take(&mut self, stream: TcpStream, peer: SocketAddr) {
        if self.own.remove(&peer) {
            return;
        }
        let stream = match self.wire.config.tls {
            Some(_) => Stream::Tls(Box::new(Tls::new(stream))),
            None => Stream::Plain(stream),
        };
        let connection = Connection::new(Arc::clone(&self.wire), stream, self.next);
        self.next = self.next.wrapping_add(1);
        let (control, alive, epoch) = (self.control.subscribe(), self.alive.clone(), Arc::clone(&self.epoch));
        if control.borrow().stopped {
            return;
        }
        tokio::spawn(async move {
            let _marks = (alive, epoch);
            connection.run(control).await;
        });
    }

    async fn set(&mut self, state: ListenerState, fault: Option<u16>) -> bool {
        self.leave().await;
        self.state = state;
        match state {
            ListenerState::Open => {
                self.open().await;
                self.connects().await
            }
            ListenerState::Refuse => {
                self.socket = None;
                self.own.clear();
                self.reset(fault).await;
                self.refuses().await
            }
            ListenerState::Blackhole => {
                self.open().await;
                self.silence(fault).await
            }
        }
    }

    /// Ends a black hole: its silent connections are reset, its fillers withdrawn.
    async fn leave(&mut self) {
        self.fillers.clear();
        if self.state == ListenerState::Blackhole {
            let fault = self.control.borrow().fault;
            self.reset(fault).await;
        }
    }

    /// Resets all open connections; returns once they are gone.
    async fn reset(&mut self, fault: Option<u16>) {
        let old = Arc::downgrade(&std::mem::take(&mut self.epoch));
        self.control.send_modify(|control| {
            control.epoch += 1;
            control.silent = false;
            control.fault = fault;
        });
        let deadline = Instant::now() + RESET;
        while old.strong_count() > 0 && Instant::now() < deadline {
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Listens again, or with the full backlog again.
    async fn open(&mut self) {
        let deadline = Instant::now() + REBIND;
        loop {
            match &self.socket {
                Some(socket) => {
                    _ = SockRef::from(socket).listen(BACKLOG);
                    return;
                }
                None => self.socket = listen(self.addr).ok(),
            }
            if self.socket.is_none() {
                if Instant::now() >= deadline {
                    return;
                }
                sleep(Duration::from_millis(10)).await;
            }
        }
    }

    /// Shrinks the accept queue to nothing and fills it: from then on the kernel drops SYNs without a word.
    async fn silence(&mut self, fault: Option<u16>) -> bool {
        self.control.send_modify(|control| {
            control.silent = true;
            control.fault = fault;
        });
        let Some(socket) = &self.socket else { return false };
        if SockRef::from(socket).listen(0).is_err() {
            return false;
        }
        for _ in 0..8 {
            match timeout(PROBE, TcpStream::connect(self.addr)).await {
                Err(_) => return true,
                Ok(Err(_)) => {}
                Ok(Ok(filler)) => {
                    self.own.extend(filler.local_addr());
                    self.fillers.push(filler);
                }
            }
        }
        false
    }

    async fn connects(&mut self) -> bool {
        match timeout(PROBE, TcpStream::connect(self.addr)).await {
            Ok(Ok(probe)) => {
                self.own.extend(probe.local_addr());
                true
            }
            _ => false,
        }
    }

    async fn refuses(&self) -> bool {
        let answer = timeout(PROBE, TcpStream::connect(self.addr)).await;
        matches!(answer, Ok(Err(error)) if error.kind() == io::ErrorKind::ConnectionRefused)
    }
}

fn bound(addr: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&addr.into())?;
    Ok(socket)
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = bound(addr)?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    TcpListener::from_std(socket.into())
}
