//! The mock from outside: over its sockets, as a gateway and as the official client see it.

mod control;
mod faults;
mod permissions;
mod protocol;
mod sdk;
mod support;
