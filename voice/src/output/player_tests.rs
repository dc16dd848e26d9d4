use super::*;

const SHELL: &str = "sh";

fn player(script: &str) -> Player {
    Player::new(&[SHELL, "-c", script].map(str::to_owned))
}

/// Comes again until it is over; a test that hangs is ended by its runner.
fn end(player: &mut Player) -> Result<(), VoiceError> {
    loop {
        if player.ended()? {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn every_sample_reaches_the_program_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heard");
    let mut player = player(&format!("echo RATE >{0}.rate; cat >{0}", path.display()));
    player.begin(22_050).unwrap();
    let samples: Vec<i16> = (0..100_000_i32).map(|number| (number % 30_000) as i16).collect();
    let mut left = samples.as_slice();
    while !left.is_empty() {
        let taken = player.write(&left[..left.len().min(881)]).unwrap();
        left = &left[taken..];
    }
    player.finish().unwrap();
    end(&mut player).unwrap();
    let heard = std::fs::read(&path).unwrap();
    let heard: Vec<i16> =
        heard.as_chunks::<2>().0.iter().map(|two| i16::from_le_bytes(*two)).collect();
    assert!(heard == samples);
    assert_eq!(std::fs::read_to_string(folder.path().join("heard.rate")).unwrap().trim(), "22050");
}

#[test]
fn a_program_that_ends_at_once_is_told_and_leaves_nothing() {
    for (command, code) in [("false", Some(1)), ("true", Some(0))] {
        let mut player = Player::new(&[command.to_owned()]);
        player.begin(22_050).unwrap();
        // Until its end is seen, the pipe takes some.
        let fault = loop {
            match player.write(&[1; 881]) {
                Ok(_) => std::thread::sleep(Duration::from_millis(1)),
                Err(fault) => break fault,
            }
        };
        assert_eq!(fault, VoiceError::PlayerEnded(code));
        assert!(player.playing.is_none());
        assert_eq!(player.ended(), Ok(true));
    }
}

#[test]
fn a_program_that_ends_with_a_fault_after_all_was_written_is_told() {
    let mut player = player("cat >/dev/null; exit 5");
    player.begin(22_050).unwrap();
    assert_eq!(player.write(&[1; 100]), Ok(100));
    player.finish().unwrap();
    assert_eq!(end(&mut player), Err(VoiceError::PlayerEnded(Some(5))));
}

#[test]
fn a_program_that_never_reads_holds_nobody_up_and_is_killed() {
    let mut player = Player::new(&["sleep", "1000"].map(str::to_owned));
    player.begin(22_050).unwrap();
    let mut taken = 0;
    loop {
        match player.write(&[1; 881]).unwrap() {
            0 => break,
            some => taken += some,
        }
    }
    assert!((16_000..200_000).contains(&taken), "a pipe holds {taken}");
    assert!(player.playing.as_ref().unwrap().pending.len() <= 2 * 881);
    player.finish().unwrap();
    assert_eq!(player.ended(), Ok(false));
    let child = player.playing.as_ref().unwrap().child.id();
    player.stop();
    // Killed and waited for: not even a zombie is left, unless a driver holds it.
    assert!(!std::path::Path::new(&format!("/proc/{child}")).exists() || !player.left.is_empty());
}

#[test]
fn what_is_stopped_is_not_heard() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("heard");
    // It begins to read only when it is told to.
    let mut player =
        player(&format!("while [ ! -e {0}.go ]; do sleep 0.01; done; cat >{0}", path.display()));
    player.begin(22_050).unwrap();
    player.write(&[1; 400]).unwrap();
    player.stop();
    std::fs::write(folder.path().join("heard.go"), "").unwrap();
    // The next one runs as long as the first would have needed.
    player.begin(22_050).unwrap();
    player.write(&[2; 100]).unwrap();
    player.finish().unwrap();
    end(&mut player).unwrap();
    let heard = std::fs::read(&path).unwrap();
    assert_eq!(heard, [2, 0].repeat(100));
}

#[test]
fn a_program_that_is_not_there_is_told_with_its_name() {
    let mut player = Player::new(&["/no/such/player".to_owned()]);
    let fault = player.begin(22_050).unwrap_err();
    assert_eq!(fault.code(), "voice.player_absent");
    assert!(fault.to_string().contains("/no/such/player"));
    assert_eq!(player.write(&[1]), Err(VoiceError::PlayerBlocked));
    assert_eq!(Player::new(&[]).begin(22_050).unwrap_err().code(), "voice.player_absent");
}
