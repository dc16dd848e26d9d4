use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::wav::tests::{MONO, wav};
use crate::{Espeak, Recorded};

const PATIENCE: Duration = Duration::from_secs(60);

/// A script in place of espeak-ng.
fn program(folder: &Path, lines: &str) -> std::path::PathBuf {
    let path = folder.join("speak.sh");
    // Another process writes it: a file that a thread beside this one hands on, open for writing, to a
    // child of its own cannot be run.
    let written = std::process::Command::new("sh")
        .args(["-c", "printf '#!/bin/sh\n%s\n' \"$1\" >\"$0\" && chmod 755 \"$0\""])
        .arg(&path)
        .arg(lines)
        .status();
    assert!(written.unwrap().success());
    path
}

fn speak(lines: &str, text: &str, limit: Duration) -> Result<Sound, VoiceError> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good.wav"), wav(MONO, &[1, 2, 3])).unwrap();
    let lines = format!("cd {}\n{lines}", folder.path().display());
    Espeak::program(program(folder.path(), &lines), 150, limit).speak(text, Language::Chinese)
}

#[test]
fn the_text_goes_through_the_pipe_and_never_into_the_arguments() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("good.wav"), wav(MONO, &[1, 2, 3])).unwrap();
    let lines =
        format!("cd {}\necho \"$@\" >args; cat >text; cat good.wav", folder.path().display());
    let engine = Espeak::program(program(folder.path(), &lines), 150, PATIENCE);
    let sound = engine.speak("去银行。", Language::Chinese).unwrap();
    assert_eq!(sound.samples(), [1, 2, 3]);
    let kept = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    assert_eq!(kept("text"), "去银 hang2 。");
    assert_eq!(kept("args").trim(), "--stdin --stdout -b 1 -z -v cmn-latn-pinyin -s 150");
}

#[test]
fn every_way_in_which_a_program_fails_is_told() {
    let fails = |lines: &str| speak(lines, "话。", PATIENCE).unwrap_err().code();
    assert_eq!(fails("cat >/dev/null; cat good.wav; exit 3"), "voice.engine_ended");
    assert_eq!(fails("exit 1"), "voice.engine_ended");
    assert_eq!(fails("cat >/dev/null; echo nonsense"), "voice.sound");
    assert_eq!(fails("cat >/dev/null"), "voice.sound");
    assert_eq!(fails("exec cat /dev/zero"), "voice.sound");
    let hangs = speak("exec sleep 1000", "话。", Duration::from_millis(50));
    assert_eq!(hangs, Err(VoiceError::EngineSlow));
    let absent = Espeak::program("/no/such/program", 150, PATIENCE);
    assert_eq!(absent.speak("话。", Language::Chinese).unwrap_err().code(), "voice.engine_absent");
    assert!(!absent.available());
}

#[test]
fn what_is_too_long_or_has_no_sound_reaches_no_program() {
    let long = "字".repeat(10_000);
    let refused = speak("cat good.wav", &long, PATIENCE);
    assert_eq!(refused, Err(VoiceError::TextTooLong { bytes: 30_000 }));
    assert_eq!(speak("cat good.wav", "。", PATIENCE), Err(VoiceError::Nothing));
    assert_eq!(speak("cat good.wav", "", PATIENCE), Err(VoiceError::Nothing));
}

fn recordings(index: &str) -> (tempfile::TempDir, Result<Recorded, VoiceError>) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("zh")).unwrap();
    std::fs::write(folder.path().join("zh/1.wav"), wav(MONO, &[7, 7])).unwrap();
    std::fs::write(folder.path().join("bad.wav"), b"RIFFnot much").unwrap();
    std::fs::write(folder.path().join("index.tsv"), index).unwrap();
    let opened = Recorded::open(folder.path(), Arc::new(Silent));
    (folder, opened)
}

#[test]
fn a_recording_is_found_by_how_the_sentence_sounds() {
    let index = "\u{feff}# 语言\t文件\t句子\r\n\nzh\tzh/1.wav\t请拨打“12345”！\r\n";
    let (folder, opened) = recordings(index);
    let recorded = opened.unwrap();
    assert_eq!((recorded.len(), recorded.is_empty(), recorded.available()), (1, false, true));
    let spoken = crate::text::sentences("请拨打12345。", Language::Chinese).remove(0);
    assert!(recorded.has(&spoken));
    let found = recorded.speak(spoken.text(), Language::Chinese).unwrap();
    assert_eq!(found.samples(), [7, 7]);
    // Others, and the same in another language, are the next engine's.
    assert_eq!(recorded.speak("没有录。", Language::Chinese), Err(VoiceError::NoEngine));
    assert_eq!(recorded.speak(spoken.text(), Language::English), Err(VoiceError::NoEngine));
    // One that is gone meanwhile is, too.
    std::fs::remove_file(folder.path().join("zh/1.wav")).unwrap();
    assert_eq!(recorded.speak(spoken.text(), Language::Chinese), Err(VoiceError::NoEngine));
}

#[test]
fn a_table_that_is_wrong_is_told_with_its_line() {
    for (index, line, part) in [
        ("# head\nzh\tzh/1.wav", 2, "three columns"),
        ("fr\tzh/1.wav\tBonjour.", 1, "neither"),
        ("zh\tzh/1.wav\t一句。两句。", 1, "exactly one"),
        ("zh\tzh/1.wav\t！", 1, "exactly one"),
        ("zh\t../1.wav\t一句。", 1, "outside"),
        ("zh\t/etc/passwd\t一句。", 1, "outside"),
        ("zh\tzh/1.wav\t一句。\nzh\tzh/1.wav\t一句！", 2, "already"),
    ] {
        match recordings(index).1.map(|_| ()) {
            Err(VoiceError::Index { line: told, fault, .. }) => {
                assert_eq!(told, line, "{index}");
                assert!(fault.contains(part), "{index}: {fault}");
            }
            other => panic!("{index}: {other:?}"),
        }
    }
    for index in ["zh\tbad.wav\t一句。", "zh\tnone.wav\t一句。", "zh\tzh\t一句。"] {
        let fault = recordings(index).1.map(|_| ()).unwrap_err();
        assert_eq!(fault.code(), "voice.recording", "{index}");
    }
    let empty = tempfile::tempdir().unwrap();
    let fault = Recorded::open(empty.path(), Arc::new(Silent)).map(|_| ()).unwrap_err();
    assert_eq!(fault.code(), "voice.index");
}

#[test]
fn nothing_recorded_and_nothing_installed_is_no_voice() {
    let recorded = recordings("# nothing yet\n").1.unwrap();
    assert!(recorded.is_empty() && !recorded.available());
    assert_eq!(Silent.speak("Text.", Language::English), Err(VoiceError::NoEngine));
}
