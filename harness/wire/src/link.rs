//! A chaos link: where the gateway connects to when it means an upstream endpoint.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::connection::Control;
use crate::listener::{Command, Listener, ListenerState};
use crate::wire::{LinkConfig, Shared, Wire};

/// A running link. Dropped without [`Link::stop`], it ends as soon as its runtime lets it.
#[derive(Debug)]
pub struct Link {
    addr: SocketAddr,
    commands: mpsc::Sender<Command>,
    control: watch::Sender<Control>,
    /// Ends when the last connection task has.
    ended: mpsc::Receiver<()>,
    listener: JoinHandle<()>,
}

impl Link {
    /// Binds and begins to accept, on the caller's runtime.
    pub fn start(config: LinkConfig, shared: Shared) -> io::Result<Self> {
        let (commands, orders) = mpsc::channel(16);
        let (alive, ended) = mpsc::channel(1);
        let control = watch::Sender::new(Control::default());
        let listener = Listener::bind(Arc::new(Wire::new(config, shared)), control.clone(), alive)?;
        let addr = listener.addr();
        let listener = tokio::spawn(listener.run(orders));
        Ok(Self { addr, commands, control, ended, listener })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Goes to a state; returns once it is in force, with what our own probe found: refused, unanswered or
    /// connected, as the state says.
    pub async fn set_listener(&self, state: ListenerState) -> bool {
        self.set(state, None).await
    }

    /// The same, on behalf of a fault: attempts it cuts off name it.
    pub async fn set_listener_for(&self, state: ListenerState, fault: u16) -> bool {
        self.set(state, Some(fault)).await
    }

    /// Resets every open connection of the gateway; returns once that is done.
    pub async fn reset_connections(&self) {
        let (done, answer) = oneshot::channel();
        if self.commands.send(Command::Reset { fault: None, done }).await.is_ok() {
            _ = answer.await;
        }
    }

    /// Stops accepting, resets what is open and waits until every record is written.
    pub async fn stop(mut self) {
        self.control.send_modify(|control| control.stopped = true);
        drop(self.commands);
        _ = self.listener.await;
        while self.ended.recv().await.is_some() {}
    }

    async fn set(&self, state: ListenerState, fault: Option<u16>) -> bool {
        let (done, answer) = oneshot::channel();
        let sent = self.commands.send(Command::Set { state, fault, done }).await;
        sent.is_ok() && answer.await.unwrap_or(false)
    }
}
