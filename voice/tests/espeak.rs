//! The real `espeak-ng` speaks both languages. Needs the Debian package; `make setup-tests` has it.

use voice::{Engine as _, Espeak, Language, Sound, text};

fn espeak() -> Espeak {
    let engine = Espeak::new(150);
    assert!(
        engine.available(),
        "espeak-ng is not installed: run `make setup-tests`, or `apt-get install espeak-ng`"
    );
    engine
}

fn said(engine: &Espeak, language: Language, text: &str) -> Sound {
    let sentences = text::sentences(text, language);
    assert_eq!(sentences.len(), 1, "{text}");
    match engine.speak(sentences[0].text(), language) {
        Ok(sound) => sound,
        Err(error) => panic!("{text}: {error}. {}", error.cure()),
    }
}

fn seconds(sound: &Sound) -> f64 {
    sound.samples().len() as f64 / f64::from(sound.rate())
}

fn loudness(sound: &Sound) -> f64 {
    let sum: f64 = sound.samples().iter().map(|sample| f64::from(*sample).powi(2)).sum();
    (sum / sound.samples().len() as f64).sqrt()
}

#[test]
fn both_languages_are_heard_and_sentences_differ() {
    let engine = espeak();
    for (language, one, other) in [
        (Language::Chinese, "请把身份证放在读卡器上。", "请取走您的回执和材料。"),
        (Language::English, "Please put your card on the reader.", "Please take your receipt now."),
    ] {
        let [first, second] = [one, other].map(|text| said(&engine, language, text));
        for sound in [&first, &second] {
            assert_eq!(sound.rate(), voice::RATE);
            assert!((1.0..8.0).contains(&seconds(sound)), "{one}: {} s", seconds(sound));
            assert!(loudness(sound) > 500.0, "{one}: {}", loudness(sound));
        }
        assert_ne!(first, second);
        assert_eq!(first, said(&engine, language, one), "the same sentence is the same sound");
    }
}

#[test]
fn slower_is_longer() {
    let text = "请把身份证放在读卡器上。";
    let slow = said(&Espeak::new(100), Language::Chinese, text);
    let fast = said(&Espeak::new(250), Language::Chinese, text);
    assert!(seconds(&slow) > 1.3 * seconds(&fast));
    drop(espeak());
}

#[test]
fn a_word_with_several_readings_is_given_the_right_one() {
    let engine = espeak();
    // The same syllables written with characters that have one reading.
    let right = engine.speak("银航。", Language::Chinese).unwrap();
    assert_eq!(engine.speak("银行。", Language::Chinese).unwrap(), right);
    assert_ne!(engine.speak("银形。", Language::Chinese).unwrap(), right);
}

#[test]
fn numbers_to_dial_take_longer_than_an_amount() {
    let engine = espeak();
    let dialled = said(&engine, Language::English, "12345");
    let digits = said(&engine, Language::English, "1 2 3 4 5");
    assert_eq!(dialled, digits);
}

#[test]
fn what_cannot_be_said_is_an_error_and_not_a_hang() {
    let engine = espeak();
    assert!(engine.speak("", Language::Chinese).is_err());
    assert!(engine.speak(&"字".repeat(10_000), Language::Chinese).is_err());
    // The longest that is taken.
    let long = "请稍候，".repeat(83);
    assert!(seconds(&engine.speak(&long, Language::Chinese).unwrap()) > 30.0);
}
