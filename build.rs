//! Links the binary at a fixed address. A position-independent one is relocated when it is started, which dirties every
//! page that holds a pointer: in a keeper that was 176 KiB of its 384 KiB of private memory, a hundred times over.
//! The price is that the binary's own code does not move from start to start; libraries, heap and stack still do.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let linux = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    let gnu = std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|env| env == "gnu");
    if linux && gnu {
        println!("cargo:rustc-link-arg-bins=-no-pie");
    }
}
