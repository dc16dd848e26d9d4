//! Hears and tests what a kiosk would say: prepares a text, has it spoken, plays or writes it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::channel;

use clap::Parser;
use voice::{
    Engine, Espeak, Event, Language, Player, Recorded, Sentence, Sound, SpeechConfig, Tone,
    Utterance, Voice, VoiceError, write_wav,
};

const EXAMPLES: &str = "Examples:
  say --language zh '请把身份证放在读卡器上。' -o out.wav   write a WAV file
  say --language en 'Call 12345.'                       play it
  say --language zh --split '2026-03-05起，拨打12345'      show the sentences, say nothing
  say --recordings /etc/ronggui/prompts --language zh '请稍候。'
                                                        check a folder of recordings and hear one
  say --tones                                           hear the tones

Exit codes: 0 done, 1 not heard (the reason and the cure are printed), 2 wrong usage.";

/// Say a public text as the kiosk says it.
#[derive(Parser)]
#[command(name = "say", after_help = EXAMPLES)]
struct Arguments {
    /// What is to be said.
    text: Option<String>,
    /// zh or en.
    #[arg(short, long, default_value = "zh", value_parser = language)]
    language: Language,
    /// Write a WAV file and play nothing.
    #[arg(short, long)]
    out: Option<PathBuf>,
    /// Words a minute, 80 to 300.
    #[arg(short, long, default_value_t = SpeechConfig::default().speed)]
    speed: u16,
    /// Loudness, 0 to 10.
    #[arg(short, long, default_value_t = SpeechConfig::default().volume)]
    volume: u8,
    /// A folder with index.tsv.
    #[arg(long)]
    recordings: Option<PathBuf>,
    /// Another player, with its arguments; RATE stands for samples a second.
    #[arg(long, num_args = 1.., allow_hyphen_values = true, value_terminator = ";")]
    player: Option<Vec<String>>,
    /// Show the sentences and say nothing.
    #[arg(long)]
    split: bool,
    /// Play the tones one after the other.
    #[arg(long)]
    tones: bool,
}

fn language(tag: &str) -> Result<Language, String> {
    Language::of_tag(tag).ok_or_else(|| "zh or en".to_owned())
}

#[expect(clippy::print_stderr, reason = "a program for a terminal")]
fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}. {}", error.code(), error.cure());
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "a program for a terminal")]
fn run(arguments: Arguments) -> Result<(), VoiceError> {
    let mut config = SpeechConfig {
        recordings: arguments.recordings,
        speed: arguments.speed,
        volume: arguments.volume,
        ..SpeechConfig::default()
    };
    if let Some(player) = arguments.player {
        config.player = player;
    }
    config.check()?;
    if arguments.tones {
        return tones(&config);
    }
    let text = arguments.text.unwrap_or_default();
    let utterance = Utterance::of(arguments.language, &text);
    if utterance.is_empty() {
        return Err(VoiceError::Nothing);
    }
    let mut engine: Arc<dyn Engine> = Arc::new(Espeak::new(config.speed));
    let mut recorded = None;
    if let Some(folder) = &config.recordings {
        let opened = Arc::new(Recorded::open(folder, engine)?);
        println!("{} sentences are recorded.", opened.len());
        engine = opened.clone();
        recorded = Some(opened);
    }
    for sentence in utterance.sentences() {
        let by = recorded.as_ref().is_some_and(|recorded| recorded.has(sentence));
        println!("{}\t{}", if by { "recorded" } else { "engine" }, sentence.text());
    }
    if arguments.split {
        return Ok(());
    }
    match arguments.out {
        Some(path) => write_wav(&path, &joined(&*engine, utterance.sentences())?),
        None => play(&config, engine, utterance),
    }
}

fn joined(engine: &dyn Engine, sentences: &[Sentence]) -> Result<Sound, VoiceError> {
    let mut samples = Vec::new();
    for sentence in sentences {
        let sound = engine.speak(sentence.text(), sentence.language())?.resampled();
        samples.extend_from_slice(sound.samples());
        samples.extend([0; voice::RATE as usize * 3 / 10]);
    }
    Ok(Sound::new(samples, voice::RATE))
}

fn play(
    config: &SpeechConfig,
    engine: Arc<dyn Engine>,
    utterance: Utterance,
) -> Result<(), VoiceError> {
    let (sender, events) = channel();
    let player = Box::new(Player::new(&config.player));
    let sink = Box::new(move |event| drop(sender.send(event)));
    let voice = Voice::start(engine, player, config.volume, config.tones, sink)?;
    voice.say(utterance);
    for event in events {
        match event {
            Event::Finished(_) | Event::Stopped(_) => break,
            Event::Failed { error, .. } => return Err(error),
            Event::Started { .. } | Event::Paused(_) | Event::Resumed(_) => {}
        }
    }
    Ok(())
}

/// A tone has no event, so each is played as an output of its own.
fn tones(config: &SpeechConfig) -> Result<(), VoiceError> {
    use std::time::Duration;

    use voice::Output as _;
    let mut player = Player::new(&config.player);
    for tone in Tone::ALL {
        let sound = tone.sound();
        player.begin(sound.rate())?;
        let mut left = sound.samples();
        while !left.is_empty() {
            let taken = player.write(left)?;
            left = &left[taken..];
            std::thread::sleep(Duration::from_millis(5));
        }
        player.finish()?;
        while !player.ended()? {
            std::thread::sleep(Duration::from_millis(20));
        }
        std::thread::sleep(Duration::from_millis(400));
    }
    Ok(())
}
