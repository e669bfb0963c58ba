use std::{
    collections::HashSet,
    net::TcpListener,
    sync::{LazyLock, Mutex},
};

/// Where the operating system takes the ports of clients and of `:0` from lies above (32768 on Linux), so that none of
/// these is taken between being found and being used.
const PORTS: std::ops::Range<u16> = 12_000..22_000;

/// The ones that this process has given out, which may not be listened on yet.
static GIVEN: LazyLock<Mutex<HashSet<u16>>> = LazyLock::new(Mutex::default);

/// A port of 127.0.0.1 that nobody listens on, and that nobody else in this process is given.
pub fn free_port() -> u16 {
    let mut given = GIVEN.lock().expect("nothing panics with it");
    // Processes that run side by side begin far from each other.
    let count = PORTS.end - PORTS.start;
    let start = std::process::id().wrapping_mul(7_919) % u32::from(count);
    let start = u16::try_from(start).expect("less than the count");
    (0..count)
        .map(|step| PORTS.start + (start + step) % count)
        .find(|port| !given.contains(port) && is_free(*port) && given.insert(*port))
        .expect("a free port")
}

fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok()
}
