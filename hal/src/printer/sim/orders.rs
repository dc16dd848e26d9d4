//! Why: a person, a test and a scenario tell the simulated printer what happens to it in one line
//! each. This reads the line; what it does is elsewhere.
//!
//! Refuses: a line it half understands.

/// When an order is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// When so many more dots of paper have moved.
    AfterDots(u64),
    /// When so many more bytes have been taken from the line.
    AfterBytes(u64),
    /// When the knife is about to move.
    AtCut,
    /// When the ticket is off and nothing after it has been looked at.
    AfterCut,
}

/// What happens to the printer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Order {
    /// A roll of so many millimetres is in.
    Paper(u32),
    /// The paper jams, or is freed.
    PaperJam(bool),
    /// The near-end sensor says so, or what the roll says.
    NearEnd(Option<bool>),
    /// The cover opens or closes.
    Cover(bool),
    /// The cutter sticks, or is freed.
    Cutter(bool),
    /// The cutter sticks at the next cut.
    CutterJamNext,
    /// The head is hot, or has cooled down.
    Head(bool),
    /// It reports a defect, or no longer.
    Broken(bool),
    /// The power.
    Power(bool),
    /// Off now, on again after so many milliseconds.
    PowerCycle(u64),
    /// It works and says nothing.
    Mute(bool),
    /// Rubbish among its answers.
    Noise(bool),
    /// Every answer comes so many milliseconds late.
    Late(u64),
    /// Every answer comes only when the next one is due.
    Lag(bool),
    /// Status bytes break their fixed bits.
    Wrong(bool),
    /// The next proof is not sent.
    LostMarker,
    /// Unplugged, for good or for so many milliseconds.
    Unplug(Option<u64>),
    /// Plugged in.
    Plug,
    /// Another program takes the line, or gives it back.
    Stolen(bool),
    /// The line may be opened, or not.
    Permission(bool),
    /// The paper moves at so many millimetres a second; 0 is at once.
    Speed(u32),
    /// Somebody holds the feed key for so many milliseconds.
    Busy(u64),
    /// People take tickets from the mouth, now and from now on; or leave them.
    Take(bool),
    /// Somebody tears off what hangs in the slot.
    Tear,
    /// Tell the state.
    State,
    /// Do something later.
    Later(When, Box<Order>),
}

/// Every order, for the message that follows a wrong one.
pub const KNOWN: &str = "paper MM|jam|clear, near-end on|off|auto, cover open|close, cutter \
     jam|jam-next|clear, head hot|cool, broken on|off, power off|on|cycle MS, mute on|off, noise \
     on|off, late-answers MS, lag on|off, wrong-answers on|off, lost-marker, unplug [MS], plug, \
     steal, release, permission deny|allow, slow MM_A_SECOND, busy MS, presenter take|leave, tear, \
     state, after-dots N ORDER, after-bytes N ORDER, at-cut ORDER, after-cut ORDER";

impl Order {
    /// Reads one line.
    pub fn parse(line: &str) -> Result<Self, String> {
        let words: Vec<&str> = line.split_whitespace().collect();
        Self::read(&words)
    }

    fn read(words: &[&str]) -> Result<Self, String> {
        let unknown = || format!("unknown command; known are: {KNOWN}");
        let switch = |word: &str| match word {
            "on" => Ok(true),
            "off" => Ok(false),
            _ => Err(unknown()),
        };
        Ok(match words {
            ["paper", "jam"] => Self::PaperJam(true),
            ["paper", "clear"] => Self::PaperJam(false),
            ["paper", millimetres] => Self::Paper(millimetres.parse().map_err(|_| {
                "paper needs a length in millimetres, such as paper 60000".to_owned()
            })?),
            ["near-end", "auto"] => Self::NearEnd(None),
            ["near-end", word] => Self::NearEnd(Some(switch(word)?)),
            ["cover", "open"] => Self::Cover(true),
            ["cover", "close"] => Self::Cover(false),
            ["cutter", "jam"] => Self::Cutter(true),
            ["cutter", "clear"] => Self::Cutter(false),
            ["cutter", "jam-next"] => Self::CutterJamNext,
            ["head", "hot"] => Self::Head(true),
            ["head", "cool"] => Self::Head(false),
            ["broken", word] => Self::Broken(switch(word)?),
            ["power", "cycle", millis] => Self::PowerCycle(number(millis)?),
            ["power", word] => Self::Power(switch(word)?),
            ["mute", word] => Self::Mute(switch(word)?),
            ["noise", word] => Self::Noise(switch(word)?),
            ["late-answers", millis] => Self::Late(number(millis)?),
            ["lag", word] => Self::Lag(switch(word)?),
            ["wrong-answers", word] => Self::Wrong(switch(word)?),
            ["lost-marker"] => Self::LostMarker,
            ["unplug"] => Self::Unplug(None),
            ["unplug", millis] => Self::Unplug(Some(number(millis)?)),
            ["plug" | "replug"] => Self::Plug,
            ["steal"] => Self::Stolen(true),
            ["release"] => Self::Stolen(false),
            ["permission", "deny"] => Self::Permission(false),
            ["permission", "allow"] => Self::Permission(true),
            ["slow", speed] => Self::Speed(number(speed)?),
            ["busy", millis] => Self::Busy(number(millis)?),
            ["presenter", "take"] => Self::Take(true),
            ["presenter", "leave"] => Self::Take(false),
            ["tear"] => Self::Tear,
            ["state"] => Self::State,
            ["after-dots", count, rest @ ..] => later(When::AfterDots(number(count)?), rest)?,
            ["after-bytes", count, rest @ ..] => later(When::AfterBytes(number(count)?), rest)?,
            ["at-cut", rest @ ..] => later(When::AtCut, rest)?,
            ["after-cut", rest @ ..] => later(When::AfterCut, rest)?,
            _ => return Err(unknown()),
        })
    }
}

fn later(when: When, rest: &[&str]) -> Result<Order, String> {
    match Order::read(rest)? {
        Order::Later(..) | Order::State => {
            Err("what is to happen later is one thing that happens to the printer".to_owned())
        }
        order => Ok(Order::Later(when, Box::new(order))),
    }
}

fn number<T: std::str::FromStr>(word: &str) -> Result<T, String> {
    word.parse().map_err(|_| format!("{word} is not a whole number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_are_read_whole_or_explained() {
        assert_eq!(Order::parse("unplug 300"), Ok(Order::Unplug(Some(300))));
        assert_eq!(Order::parse("  power   cycle 80 "), Ok(Order::PowerCycle(80)));
        let later = Order::Later(When::AfterDots(120), Box::new(Order::Paper(0)));
        assert_eq!(Order::parse("after-dots 120 paper 0"), Ok(later));
        let cut = Order::Later(When::AtCut, Box::new(Order::Cover(true)));
        assert_eq!(Order::parse("at-cut cover open"), Ok(cut));
        assert!(Order::parse("paper lots").unwrap_err().contains("millimetres"));
        for bad in ["", "dance", "cover", "cover ajar", "power cycle", "paper 1 2", "at-cut"] {
            assert!(Order::parse(bad).unwrap_err().contains("cover open|close"), "{bad}");
        }
        assert!(Order::parse("after-dots many paper 0").unwrap_err().contains("whole number"));
        assert!(Order::parse("at-cut after-cut tear").is_err());
        assert!(Order::parse("at-cut state").is_err());
    }
}
