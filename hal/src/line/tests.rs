use std::path::Path;
use std::time::Duration;

use super::*;
use crate::contract::Discovery;

#[test]
fn a_path_that_is_not_there_is_not_found() {
    let path = Path::new("/nonexistent/tty");
    assert_eq!(
        SerialLine::open(path, 115_200).unwrap_err(),
        LineError::NotFound(path.to_path_buf())
    );
    assert!(matches!(look_at(path), Discovery::Absent { .. }));
}

#[test]
fn a_plain_file_is_not_a_line() {
    let file = tempfile::NamedTempFile::new().unwrap();
    assert_eq!(
        SerialLine::open(file.path(), 9600).unwrap_err(),
        LineError::NotALine(file.path().to_path_buf())
    );
}

#[test]
fn every_error_names_a_cure() {
    let path = PathBuf::from("/dev/ttyX");
    let all = [
        LineError::NotFound(path.clone()),
        LineError::NoPermission(path.clone()),
        LineError::InUse(path.clone()),
        LineError::NotALine(path.clone()),
        LineError::OneWay(path),
        LineError::NoPaper,
        LineError::Baud(1),
        LineError::Timeout,
        LineError::Gone,
        LineError::Io("odd".to_owned()),
    ];
    let codes: std::collections::BTreeSet<_> = all.iter().map(Recoverable::code).collect();
    assert_eq!(codes.len(), all.len());
    assert!(all.iter().all(|error| error.cure().ends_with('.')));
}

#[cfg(feature = "sim")]
mod on_a_pseudo_terminal {
    use super::*;
    use crate::pty::Pty;

    fn soon(millis: u64) -> Instant {
        Instant::now() + Duration::from_millis(millis)
    }

    #[test]
    fn bytes_pass_unchanged_both_ways() {
        let mut far = Pty::open(None).unwrap();
        let mut line = SerialLine::open(far.path(), 115_200).unwrap();
        let all: Vec<u8> = (0..=255).collect();
        line.write_all(&all, soon(500)).unwrap();
        let mut heard = Vec::new();
        let mut buffer = [0; 64];
        while heard.len() < all.len() {
            let read = far.read_some(&mut buffer, Duration::from_millis(500)).unwrap();
            assert!(read > 0, "silence after {} bytes", heard.len());
            heard.extend_from_slice(&buffer[..read]);
        }
        assert_eq!(heard, all);
        far.write(&all).unwrap();
        let mut back = Vec::new();
        while back.len() < all.len() {
            let read = line.read_some(&mut buffer, soon(500)).unwrap();
            back.extend_from_slice(&buffer[..read]);
        }
        assert_eq!(back, all);
    }

    #[test]
    fn silence_ends_at_the_deadline() {
        let far = Pty::open(None).unwrap();
        let mut line = SerialLine::open(far.path(), 115_200).unwrap();
        let start = Instant::now();
        let read = line.read_some(&mut [0; 8], soon(60));
        assert_eq!(read, Err(LineError::Timeout));
        assert!(start.elapsed() < Duration::from_millis(400));
    }

    #[test]
    fn a_far_end_that_takes_nothing_cannot_hold_a_write() {
        let far = Pty::open(None).unwrap();
        let mut line = SerialLine::open(far.path(), 115_200).unwrap();
        let result = line.write_all(&vec![0x55; 1 << 20], soon(100));
        assert_eq!(result, Err(LineError::Timeout));
    }

    #[test]
    fn draining_forgets_what_came_before() {
        let mut far = Pty::open(None).unwrap();
        let mut line = SerialLine::open(far.path(), 115_200).unwrap();
        far.write(b"stale").unwrap();
        std::thread::sleep(Duration::from_millis(20));
        line.drain().unwrap();
        far.write(b"new").unwrap();
        let mut buffer = [0; 16];
        let read = line.read_some(&mut buffer, soon(500)).unwrap();
        assert_eq!(&buffer[..read], b"new");
    }

    #[test]
    fn a_closed_far_end_is_gone() {
        let far = Pty::open(None).unwrap();
        let mut line = SerialLine::open(far.path(), 115_200).unwrap();
        drop(far);
        assert_eq!(line.read_some(&mut [0; 8], soon(500)), Err(LineError::Gone));
        assert_eq!(line.write_all(b"x", soon(500)), Err(LineError::Gone));
    }

    #[test]
    fn a_second_opener_is_told_that_the_line_is_in_use() {
        let far = Pty::open(None).unwrap();
        let first = SerialLine::open(far.path(), 115_200).unwrap();
        let second = SerialLine::open(far.path(), 115_200);
        assert!(matches!(second, Err(LineError::InUse(_))), "{second:?}");
        drop(first);
        assert!(SerialLine::open(far.path(), 115_200).is_ok());
    }

    #[test]
    fn the_rate_changes_while_the_line_is_open() {
        let far = Pty::open(None).unwrap();
        let mut line = SerialLine::open(far.path(), 115_200).unwrap();
        let rate = || {
            let terminal = std::fs::File::open(far.path());
            terminal.map(|file| rustix::termios::tcgetattr(&file).unwrap().output_speed())
        };
        // The line is held for one opener only; root is let in all the same.
        assert!(rate().is_err() || rate().unwrap() == 115_200);
        line.set_baud(9600).unwrap();
        assert!(rate().is_err() || rate().unwrap() == 9600);
        let mut far = far;
        line.write_all(b"still open", soon(500)).unwrap();
        assert_eq!(far.read_some(&mut [0; 16], Duration::from_millis(500)).unwrap(), 10);
    }

    #[test]
    fn a_line_without_a_rate_refuses_one() {
        let far = Pty::open(None).unwrap();
        let mut line = LpLine::open(far.path()).unwrap();
        assert_eq!(line.set_baud(9600), Err(LineError::Baud(9600)));
    }

    // A pseudo-terminal stands in for the printer class: a character device that is polled, holds
    // back what is not taken and hangs up. What only the kernel's printer driver does is not shown.
    #[test]
    fn a_printer_port_carries_a_page_and_the_answers() {
        let mut far = Pty::open(None).unwrap();
        let mut line = LpSpec::new(far.path()).open().unwrap();
        let page: Vec<u8> = (0..40_000_u32).map(|n| n.to_le_bytes()[0]).collect();
        let sent = page.clone();
        let writer = std::thread::spawn(move || {
            line.write_all(&sent, soon(10_000)).unwrap();
            line
        });
        let mut printed = Vec::new();
        let mut buffer = [0; 4096];
        while printed.len() < page.len() {
            let read = far.read_some(&mut buffer, Duration::from_secs(5)).unwrap();
            assert!(read > 0, "silence after {} bytes", printed.len());
            printed.extend_from_slice(&buffer[..read]);
        }
        assert_eq!(printed, page);
        let mut line = writer.join().unwrap();
        far.write(&[0x12]).unwrap();
        assert_eq!(line.read_some(&mut buffer, soon(2000)), Ok(1));
        far.write(b"stale").unwrap();
        std::thread::sleep(Duration::from_millis(20));
        line.drain().unwrap();
        assert_eq!(line.read_some(&mut buffer, soon(50)), Err(LineError::Timeout));
    }

    #[test]
    fn a_printer_port_that_takes_nothing_or_goes_away_ends_the_write() {
        let far = Pty::open(None).unwrap();
        let mut line = LpLine::open(far.path()).unwrap();
        assert_eq!(line.write_all(&vec![0x55; 1 << 20], soon(100)), Err(LineError::Timeout));
        drop(far);
        assert_eq!(line.write_all(b"x", soon(500)), Err(LineError::Gone));
        assert_eq!(line.read_some(&mut [0; 8], soon(500)), Err(LineError::Gone));
        assert_eq!(line.drain(), Err(LineError::Gone));
    }

    #[test]
    fn a_printer_port_is_held_by_one() {
        let far = Pty::open(None).unwrap();
        let first = LpLine::open(far.path()).unwrap();
        assert!(matches!(LpLine::open(far.path()), Err(LineError::InUse(_))));
        drop(first);
        assert!(LpLine::open(far.path()).is_ok());
    }
}

#[test]
fn a_printer_port_is_a_device_and_nothing_else() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let at = file.path().to_path_buf();
    assert_eq!(LpLine::open(&at).unwrap_err(), LineError::NotALine(at));
    let none = PathBuf::from("/nonexistent/lp0");
    assert_eq!(LpLine::open(&none).unwrap_err(), LineError::NotFound(none));
    let folder = PathBuf::from("/dev");
    assert_eq!(LpLine::open(&folder).unwrap_err(), LineError::NotALine(folder));
}

#[test]
fn the_kernel_words_for_no_paper_and_no_answer_are_types() {
    use rustix::io::Errno;
    let rows = [
        (Errno::NOSPC, "line_no_paper"),
        (Errno::NODEV, "line_gone"),
        (Errno::CONNRESET, "line_gone"),
        (Errno::PIPE, "line_gone"),
        (Errno::TIMEDOUT, "line_gone"),
        (Errno::NOMEM, "line_io"),
    ];
    for (errno, code) in rows {
        assert_eq!(poll::from_errno(errno).code(), code, "{errno}");
    }
    assert!(!LineError::NoPaper.needs_reopen());
}

mod over_tcp {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    use std::time::Instant;

    use super::*;

    fn soon(millis: u64) -> Instant {
        Instant::now() + Duration::from_millis(millis)
    }

    fn connected() -> (Box<dyn Line>, TcpStream, TcpListener) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let line = TcpSpec::new(address.parse().unwrap()).open().unwrap();
        let (far, _) = listener.accept().unwrap();
        (line, far, listener)
    }

    #[test]
    fn bytes_pass_both_ways_and_stale_ones_are_forgotten() {
        let (mut line, mut far, _listener) = connected();
        line.write_all(&[0x10, 0x04, 0x01], soon(2000)).unwrap();
        let mut heard = [0; 3];
        far.read_exact(&mut heard).unwrap();
        assert_eq!(heard, [0x10, 0x04, 0x01]);
        far.write_all(b"stale").unwrap();
        std::thread::sleep(Duration::from_millis(50));
        line.drain().unwrap();
        far.write_all(b"new").unwrap();
        let mut buffer = [0; 16];
        let read = line.read_some(&mut buffer, soon(2000)).unwrap();
        assert_eq!(&buffer[..read], b"new");
        assert_eq!(line.set_baud(9600), Err(LineError::Baud(9600)));
    }

    #[test]
    fn silence_and_a_full_printer_end_at_the_deadline() {
        let (mut line, _far, _listener) = connected();
        let start = Instant::now();
        assert_eq!(line.read_some(&mut [0; 8], soon(60)), Err(LineError::Timeout));
        // More than both buffers take, to somebody who reads nothing.
        assert_eq!(line.write_all(&vec![0; 32 << 20], soon(300)), Err(LineError::Timeout));
        assert!(start.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn a_printer_that_closes_or_resets_is_gone() {
        let (mut line, far, _listener) = connected();
        drop(far);
        assert_eq!(line.read_some(&mut [0; 8], soon(2000)), Err(LineError::Gone));
        assert_eq!(line.drain(), Err(LineError::Gone));
        let (mut line, far, _listener) = connected();
        // Unread bytes at the far end make its close a reset.
        line.write_all(b"unread", soon(2000)).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        drop(far);
        std::thread::sleep(Duration::from_millis(50));
        let gone = line.write_all(&[0; 64], soon(2000)).and_then(|()| {
            std::thread::sleep(Duration::from_millis(50));
            line.write_all(&[0; 64], soon(2000))
        });
        assert_eq!(gone, Err(LineError::Gone));
    }

    #[test]
    fn nobody_there_is_not_found_and_told_in_time() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        drop(listener);
        let mut spec = TcpSpec::new(address.parse().unwrap());
        let start = Instant::now();
        let error = spec.open().err().unwrap();
        assert_eq!(error, LineError::NotFound(PathBuf::from(&address)));
        assert!(start.elapsed() < Duration::from_secs(8));
        assert_eq!(spec.describe(), format!("network printer {address}"));
    }

    #[test]
    fn a_name_with_several_addresses_is_tried_through() {
        // The name may mean ::1 first, where nobody listens.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut spec = TcpSpec::new(format!("localhost:{port}").parse().unwrap());
        assert!(spec.open().is_ok());
    }

    #[test]
    fn addresses_are_read_strictly_and_written_back() {
        let rows = [
            ("192.0.2.7:9101", "192.0.2.7:9101"),
            ("192.0.2.7", "192.0.2.7:9100"),
            ("[2001:db8::7]:9100", "[2001:db8::7]:9100"),
            ("2001:db8::7", "[2001:db8::7]:9100"),
            ("Printer-1.example", "printer-1.example:9100"),
            ("printer:515", "printer:515"),
        ];
        for (text, full) in rows {
            let address: TcpAddress = text.parse().unwrap();
            assert_eq!(address.to_string(), full);
            assert_eq!(full.parse(), Ok(address));
        }
        let wrong =
            ["", ":9100", "a:", "a:0", "a:65536", "a b", "192.0.2", "192.0.2.300", "a:1:2", "[::1"];
        for text in wrong {
            assert!(text.parse::<TcpAddress>().is_err(), "{text}");
        }
    }
}
