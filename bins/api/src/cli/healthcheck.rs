//! Asks the server of this machine how it is, for whoever can run a program and read an exit code: a container engine, say.

use std::{
    io::{Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream},
    process::ExitCode,
    time::Duration,
};

use anyhow::Context;
use xmas_config::Config;
use xmas_kernel::Problem;

#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Ask whether the process lives (`/livez`) instead of whether it is ready (`/readyz`).
    #[arg(long)]
    live: bool,
}

/// The readiness check itself takes some seconds at most.
const PATIENCE: Duration = Duration::from_secs(5);
/// More of an answer is not read.
const LONGEST_ANSWER: u64 = 16 * 1024;

pub(super) fn run(args: &Args, config: &Config) -> anyhow::Result<ExitCode> {
    let path = if args.live { "/livez" } else { "/readyz" };
    let resolved = config.server.bind_addr.resolve();
    let address = from_here(resolved.map_err(|text| Problem::new("BIND_ADDR", text))?);
    let answer = ask(address, path).with_context(|| format!("http://{address}{path}"))?;
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head.split(' ').nth(1).unwrap_or_default();
    println!("{}", body.trim());
    Ok(if status == "200" {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// Where a server that listens on `bound` is reached from this machine.
fn from_here(bound: SocketAddr) -> SocketAddr {
    let ip = match bound.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, bound.port())
}

fn ask(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use super::from_here;

    #[test]
    fn a_server_that_listens_everywhere_is_asked_here() {
        for (bound, asked) in [
            ("0.0.0.0:8000", "127.0.0.1:8000"),
            ("[::]:8000", "[::1]:8000"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            assert_eq!(from_here(bound.parse().unwrap()).to_string(), asked);
        }
    }
}
