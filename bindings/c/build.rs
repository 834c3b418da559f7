//! What the shared library says of itself to the linker.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        // The number is SLACLOCK_ABI_VERSION; a test compares the two.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-soname,libslaclock.so.0");
        // `dlclose` must not take the code away from thread-local destructors and open handles.
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
