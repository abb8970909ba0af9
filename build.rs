//! The shipped scenarios are embedded by folder, and a compiler sees only the files that were there: a new one has to
//! make it look again.

fn main() {
    println!("cargo::rerun-if-changed=scenarios");
}
