//! Why: who stands before an open cabinet reads Chinese first. The drivers speak English; here are
//! the Chinese words for what they say, by stable code and never by the wording of a message.
//!
//! Refuses: to leave a fault without Chinese words. A code that is not in the table is described by
//! the class of the fault and by who has to act.

use clap::ValueEnum;
use hal::contract::{Action, DeviceStatus, ErrorClass, Recovery};
use hal::profile::Role;

/// The language of the lines for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Lang {
    /// Chinese.
    Zh,
    /// English.
    En,
}

impl Lang {
    /// As the environment has it.
    pub fn of_environment() -> Self {
        let chinese = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
            .is_some_and(|value| value.starts_with("zh"));
        if chinese { Self::Zh } else { Self::En }
    }

    /// One of two texts.
    pub fn pick<T>(self, zh: T, en: T) -> T {
        match self {
            Self::Zh => zh,
            Self::En => en,
        }
    }

    pub fn role(self, role: Role) -> &'static str {
        let zh = match role {
            Role::Reader => "身份证阅读器",
            Role::Printer => "凭条打印机",
            Role::DocumentCamera => "高拍仪",
            Role::PortraitCamera => "人像摄像头",
            Role::Scanner => "条码扫描器",
            Role::Panel => "传感器面板",
            Role::Watchdog => "看门狗",
            Role::Speaker => "扬声器",
        };
        self.pick(zh, role.word())
    }

    pub fn status(self, status: DeviceStatus) -> String {
        let zh = match status {
            DeviceStatus::Online => "在线",
            DeviceStatus::Offline => "离线",
            DeviceStatus::PowerOff => "断电",
            DeviceStatus::NoDevice => "未连接",
            DeviceStatus::HardwareError => "硬件故障",
            DeviceStatus::UserError => "等待人工处理",
            DeviceStatus::Busy => "忙",
            DeviceStatus::FraudAttempt => "有人破坏",
            DeviceStatus::PotentialFraud => "可能有人破坏",
            DeviceStatus::Starting => "启动中",
        };
        match self {
            Self::Zh => zh.to_owned(),
            Self::En => status.to_string(),
        }
    }

    /// A fault in Chinese: what it is.
    pub fn fault(code: &str, recovery: Option<Recovery>) -> &'static str {
        if let Some((_, words)) = FAULTS.iter().find(|(known, _)| *known == code) {
            return words;
        }
        match recovery.map(|recovery| recovery.class) {
            Some(ErrorClass::Hardware) => "硬件故障",
            Some(ErrorClass::Software) => "软件或配置故障",
            Some(ErrorClass::User) => "使用问题",
            Some(ErrorClass::Fraud) => "安全问题",
            None => "出错",
        }
    }

    /// Who has to act, in Chinese.
    pub fn who(recovery: Option<Recovery>) -> &'static str {
        match recovery.map(|recovery| recovery.action) {
            Some(Action::Reset) => "程序会自动重试",
            Some(Action::Clear) => "请工作人员处理",
            Some(Action::Maintenance) => "请联系维修人员",
            Some(Action::Configuration) => "请修改配置",
            Some(Action::Suspend) => "请停用该设备并报告",
            None => "请按下面的说明处理",
        }
    }

    /// A key of a report.
    pub fn key(self, key: &str) -> &str {
        let known = KEYS.iter().find(|(english, _)| *english == key);
        match (self, known) {
            (Self::Zh, Some((_, chinese))) => chinese,
            _ => key,
        }
    }
}

const FAULTS: &[(&str, &str)] = &[
    ("absent", "没有找到设备"),
    ("no_permission", "没有权限打开设备"),
    ("timeout", "等待超时"),
    ("usage", "命令用法不对"),
    ("profile", "设备配置有错"),
    ("scenario", "场景没有完成"),
    ("simulator", "模拟设备没有完成命令"),
    ("line_not_found", "没有找到端口"),
    ("line_no_permission", "没有权限打开端口"),
    ("line_in_use", "端口被其他程序占用"),
    ("line_not_a_line", "所写的端口不是这类端口"),
    ("line_one_way", "端口只能发送，收不到回答"),
    ("line_no_paper", "打印机缺纸"),
    ("line_baud", "端口不支持该波特率"),
    ("line_timeout", "设备没有回应"),
    ("line_gone", "设备断开了"),
    ("line_io", "端口出错"),
    ("reader_no_answer", "阅读器没有回应"),
    ("reader_cut_short", "阅读器的回答中断"),
    ("reader_checksum", "阅读器的数据校验错误"),
    ("reader_card_lifted", "卡片被提前拿开"),
    ("reader_select_failed", "选卡失败"),
    ("reader_read_failed", "读卡失败"),
    ("reader_rejected", "卡片被拒绝"),
    ("reader_unknown_card", "不认识的卡片类型"),
    ("reader_self_test_failed", "安全模块自检失败"),
    ("reader_not_authorised", "安全模块未授权"),
    ("reader_malformed", "卡内信息格式不对"),
    ("reader_payload", "卡内数据长度不对"),
    ("reader_unexpected", "阅读器返回未知状态码"),
    ("printer_silent", "打印机没有回应"),
    ("printer_garbled", "打印机的回答是乱码"),
    ("printer_paper_out", "打印机缺纸"),
    ("printer_paper_jam", "打印机卡纸"),
    ("printer_cover_open", "打印机盖未关"),
    ("printer_cutter", "切刀卡住"),
    ("printer_overheated", "打印头过热"),
    ("printer_broken", "打印机报告故障"),
    ("printer_offline", "打印机离线"),
    ("printer_busy", "打印机忙"),
    ("printer_mouth_blocked", "出纸口有未取走的凭条"),
    ("printer_not_confirmed", "打印机没有确认打印完成"),
    ("printer_document", "凭条无法打印"),
    ("printer_cancelled", "打印已取消"),
    ("printer_expired", "打印已过期"),
    ("printer_journal", "打印记录文件不能写"),
    ("camera_not_found", "没有找到摄像头"),
    ("camera_no_permission", "没有权限打开摄像头"),
    ("camera_in_use", "摄像头被其他程序占用"),
    ("camera_unplugged", "摄像头断开了"),
    ("camera_timeout", "摄像头没有画面"),
    ("camera_covered", "镜头被遮住"),
    ("camera_frozen", "画面冻结"),
    ("camera_overexposed", "画面过曝"),
    ("camera_no_format", "摄像头没有可用的画面格式"),
    ("camera_unsuitable", "摄像头不适用"),
    ("camera_not_an_image", "画面无法识别"),
    ("scanner_noise", "扫描器发来杂乱数据"),
    ("scanner_oversize", "条码过长"),
    ("scanner_cut_short", "条码不完整"),
    ("panel_absent", "没有找到面板"),
    ("panel_no_permission", "没有权限打开面板"),
    ("panel_in_use", "面板被其他程序占用"),
    ("panel_unreadable", "面板信号读不出"),
    ("panel_profile", "面板配置有错"),
    ("watchdog_absent", "没有找到看门狗"),
    ("watchdog_no_permission", "没有权限打开看门狗"),
    ("watchdog_in_use", "看门狗被其他程序占用"),
    ("speaker_absent", "没有找到播放程序"),
    ("speaker_no_permission", "没有权限播放"),
    ("speaker_program", "播放程序出错"),
    ("speaker_timeout", "播放超时"),
];

const KEYS: &[(&str, &str)] = &[
    ("line", "端口"),
    ("path", "位置"),
    ("status", "状态"),
    ("device", "设备"),
    ("baud", "波特率"),
    ("self_test", "自检通过"),
    ("sam_id", "模块编号"),
    ("rtt_ms", "应答毫秒"),
    ("maker", "厂家"),
    ("model", "型号"),
    ("paper", "纸"),
    ("cover_open", "盖开"),
    ("cutter_error", "切刀故障"),
    ("overheated", "过热"),
    ("dialects", "状态方言"),
    ("confirmations", "打印确认方式"),
    ("noise", "杂乱字节"),
    ("answers", "问答"),
    ("formats", "画面格式"),
    ("controls", "可调项"),
    ("size", "画面大小"),
    ("first_frame_ms", "首帧毫秒"),
    ("fps_measured", "实测帧率"),
    ("broken_frames", "坏帧"),
    ("health", "画面状况"),
    ("opened", "能打开"),
    ("bytes", "收到字节"),
    ("code_length", "条码长度"),
    ("suffix_seen", "结尾"),
    ("presence", "有人"),
    ("call_staff", "呼叫按钮"),
    ("door_open", "门开"),
    ("identity", "名称"),
    ("timeout_s", "超时秒"),
    ("active", "已启动"),
    ("description", "说明"),
    ("played", "已播放"),
    ("took_ms", "用时毫秒"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_stands_twice() {
        for table in [FAULTS, KEYS] {
            let keys: std::collections::BTreeSet<_> = table.iter().map(|(key, _)| key).collect();
            assert_eq!(keys.len(), table.len());
        }
    }

    #[test]
    fn an_unknown_fault_is_described_by_its_class() {
        let recovery = Recovery::new(ErrorClass::Hardware, Action::Maintenance);
        assert_eq!(Lang::fault("flux_capacitor", Some(recovery)), "硬件故障");
        assert_eq!(Lang::who(Some(recovery)), "请联系维修人员");
    }
}
