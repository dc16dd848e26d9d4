//! Why: many characters have several readings, and espeak-ng takes the commoner one: 银行 becomes
//! "silver walks". Its Chinese voice also reads pinyin, so a word can say how it is read.
//!
//! Refuses: single characters. Only a word decides a reading.

use zeroize::Zeroizing;

/// Words of a kiosk's pages that are read wrongly, and how they are given instead. A longer word stands
/// before a shorter one that begins like it.
const WORDS: &[(&str, &str)] = &[
    ("银行", "银 hang2 "),
    ("行业", " hang2 业"),
    ("行列", " hang2 列"),
    ("同行", "同 hang2 "),
    ("所在地", "所在 di4 "),
    ("安置地", "安置 di4 "),
    ("居住地", "居住 di4 "),
    ("出生地", "出生 di4 "),
    ("落户地", "落户 di4 "),
    ("籍贯地", "籍贯 di4 "),
    ("易地", "易 di4 "),
    ("户籍地", "户籍 di4 "),
    ("军地", "军 di4 "),
    ("本地", "本 di4 "),
    ("当地", "当 di4 "),
    ("各地", "各 di4 "),
    ("异地", "异 di4 "),
    ("两地", "两 di4 "),
    ("地区", " di4 区"),
    ("地址", " di4 址"),
    ("地市", " di4 市"),
    ("地方", " di4 方"),
    ("地名", " di4 名"),
    ("地点", " di4 点"),
    ("地级", " di4 级"),
    ("回应", "回 ying4 "),
    ("感应", "感 ying4 "),
    ("反应", "反 ying4 "),
    ("响应", "响 ying4 "),
    ("适应", "适 ying4 "),
    ("对应", "对 ying4 "),
    ("供应", " gong1 ying4 "),
    ("照相", "照 xiang4 "),
    ("相片", " xiang4 片"),
    ("相机", " xiang4 机"),
    ("处理", " chu3 理"),
    ("处分", " chu3 fen4 "),
    ("变更", "变 geng1 "),
    ("更正", " geng1 正"),
    ("更换", " geng1 换"),
    ("更改", " geng1 改"),
    ("更新", " geng1 新"),
    ("重新", " chong2 新"),
    ("重拍", " chong2 拍"),
    ("重试", " chong2 试"),
    ("重复", " chong2 复"),
    ("重启", " chong2 启"),
    ("重写", " chong2 写"),
    ("重签", " chong2 签"),
    ("重放", " chong2 放"),
    ("重听", " chong2 听"),
    ("切断", " qie1 断"),
    ("部分", "部 fen4 "),
    ("身分", "身 fen4 "),
    ("成分", "成 fen4 "),
    ("要求", " yao1 求"),
    ("首长", "首 zhang3 "),
    ("市长", "市 zhang3 "),
    ("家长", "家 zhang3 "),
    ("成都", "成 du1 "),
    ("首都", "首 du1 "),
    ("了解", " liao3 解"),
    ("空格", " kong4 格"),
    ("空白", " kong4 白"),
    ("填空", "填 kong4 "),
    ("给付", " ji3 付"),
    ("提供给", "提供 gei3 "),
    ("供给", " gong1 ji3 "),
    ("尽早", " jin3 早"),
    ("尽快", " jin3 快"),
    ("尽量", " jin3 量"),
    ("背面", " bei4 面"),
    ("参差", " cen1 ci1 "),
    ("差错", " cha1 错"),
    ("数据", " shu4 据"),
    ("上传", "上 chuan2 "),
    ("传真", " chuan2 真"),
    ("调查", " diao4 查"),
    ("调动", " diao4 动"),
    ("调整", " tiao2 整"),
    ("方便", "方 bian4 "),
    ("校对", " jiao4 对"),
    ("便宜", " pian2 宜"),
    ("朝向", " chao2 向"),
    ("朝上", " chao2 上"),
    ("朝下", " chao2 下"),
    ("因为", "因 wei4 "),
    ("为了", " wei4 了"),
    ("为您", " wei4 您"),
    ("作为", "作 wei2 "),
    ("应当", " ying1 当"),
    ("应该", " ying1 该"),
    ("记载", "记 zai3 "),
    ("下载", "下 zai4 "),
    ("只读", " zhi3 读"),
    ("一只", "一 zhi1 "),
    ("曾用名", " ceng2 用名"),
    ("着急", " zhao2 急"),
    ("看着", "看 zhe5 "),
    ("还是", " hai2 是"),
    ("归还", "归 huan2 "),
    ("退还", "退 huan2 "),
    ("返还", "返 huan2 "),
    ("得到", " de2 到"),
    ("必得", "必 dei3 "),
    ("率先", " shuai4 先"),
    ("效率", "效 lü4 "),
];

/// The text as espeak-ng is given it.
pub(super) fn respell(text: &str) -> Zeroizing<String> {
    let mut out = Zeroizing::new(String::with_capacity(text.len() * 2));
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        match WORDS.iter().find(|(word, _)| rest.starts_with(word)) {
            Some((word, instead)) => {
                out.push_str(instead);
                rest = &rest[word.len()..];
            }
            None => {
                out.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_says_how_it_is_read() {
        assert_eq!(respell("请到银行重新办理。").as_str(), "请到银 hang2  chong2 新办理。");
        assert_eq!(respell("行李很重").as_str(), "行李很重");
    }

    #[test]
    fn no_word_hides_a_later_one() {
        for (at, (word, instead)) in WORDS.iter().enumerate() {
            assert!(word.chars().count() > 1, "{word}");
            assert!(instead.contains(|letter: char| letter.is_ascii_digit()), "{word}");
            let hidden = WORDS[..at].iter().any(|(earlier, _)| word.starts_with(earlier));
            assert!(!hidden, "{word} is never reached");
        }
    }
}
