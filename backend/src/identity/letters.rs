//! What people are written about signing in, in their language. A link has its secret behind `#`, which no browser sends and no server logs.

use super::session::Session;
use super::user::User;
use crate::notify::{Language, Letter};

const INVITATION: &str = "invitation";
const PASSWORD_RESET: &str = "password_reset";

fn letter(kind: &'static str, to: &str, (subject, body): (String, String)) -> Letter {
    Letter::plain(kind, to, subject, body)
}

pub(super) fn invitation(language: Language, to: &str, organisation: &str, public_url: &str, token: &str) -> Letter {
    let link = format!("{public_url}/{INVITATION}#{token}");
    let words = match language {
        Language::English => (
            format!("Airsettle: {organisation} invites you"),
            format!(
                "Hello,\n\n{organisation} invites you to Airsettle. Choose your password here:\n\n{link}\n\nThe link works once and for seven \
                 days. If you do not know why you get it, do nothing.\n\nAirsettle\n"
            ),
        ),
        Language::Chinese => (
            format!("Airsettle：{organisation} 邀请您加入"),
            format!(
                "您好：\n\n{organisation} 邀请您使用 Airsettle。请在此设置密码：\n\n{link}\n\n链接仅可使用一次，七天内有效。如非您本人所需，\
                 请忽略本邮件。\n\nAirsettle\n"
            ),
        ),
    };
    letter("invitation", to, words)
}

pub(super) fn password_reset(user: &User, public_url: &str, token: &str) -> Letter {
    let (link, name) = (format!("{public_url}/{PASSWORD_RESET}#{token}"), &user.name);
    let words = match user.language {
        Language::English => (
            "Airsettle: a new password".to_owned(),
            format!(
                "Hello {name},\n\nsomebody, probably you, wants a new password for your account. Choose it here:\n\n{link}\n\nThe link works \
                 once and for one hour. If it was not you, do nothing: your password stays as it is.\n\nAirsettle\n"
            ),
        ),
        Language::Chinese => (
            "Airsettle：重置密码".to_owned(),
            format!(
                "{name}，您好：\n\n有人（可能是您本人）申请重置您的密码。请在此设置新密码：\n\n{link}\n\n链接仅可使用一次，一小时内有效。\
                 如非您本人操作，请忽略本邮件，密码不会改变。\n\nAirsettle\n"
            ),
        ),
    };
    letter("password_reset", &user.email, words)
}

pub(super) fn signed_in_from(user: &User, session: &Session) -> Letter {
    let (name, at, device, address) = (&user.name, session.created_at, &session.device, &session.address);
    let words = match user.language {
        Language::English => (
            "Airsettle: a sign-in from a new device".to_owned(),
            format!(
                "Hello {name},\n\nsomebody signed in to your account from a device or an address that was not seen before.\n\nTime: {at} \
                 (UTC)\nDevice: {device}\nAddress: {address}\n\nIf it was not you, change your password at once: that signs every device \
                 out.\n\nAirsettle\n"
            ),
        ),
        Language::Chinese => (
            "Airsettle：新设备登录提醒".to_owned(),
            format!(
                "{name}，您好：\n\n您的账户在新的设备或地址登录。\n\n时间：{at}（UTC）\n设备：{device}\n地址：{address}\n\n如非您本人操作，\
                 请立即修改密码，所有设备将被退出登录。\n\nAirsettle\n"
            ),
        ),
    };
    letter("sign_in_alert", &user.email, words)
}

pub(super) fn password_changed(user: &User) -> Letter {
    let name = &user.name;
    let words = match user.language {
        Language::English => (
            "Airsettle: your password was changed".to_owned(),
            format!(
                "Hello {name},\n\nyour password was changed, and your other devices were signed out. If it was not you, ask for a new \
                 password on the sign-in page and tell your administrator.\n\nAirsettle\n"
            ),
        ),
        Language::Chinese => (
            "Airsettle：密码已修改".to_owned(),
            format!(
                "{name}，您好：\n\n您的密码已修改，其他设备已退出登录。如非您本人操作，请在登录页面重置密码，并通知管理员。\n\nAirsettle\n"
            ),
        ),
    };
    letter("password_changed", &user.email, words)
}

/// Somebody turned it on, off, or had it turned off.
pub fn second_factor_changed(user: &User, is_on: SecondFactorIs) -> Letter {
    let name = &user.name;
    let words = match (user.language, is_on) {
        (Language::English, SecondFactorIs::On) => (
            "Airsettle: second factor turned on".to_owned(),
            format!("Hello {name},\n\nfrom now on signing in needs a code of your authenticator app.\n\nAirsettle\n"),
        ),
        (Language::English, SecondFactorIs::Off) => (
            "Airsettle: second factor turned off".to_owned(),
            format!(
                "Hello {name},\n\nsigning in does not need a code any more. If you did not want that, change your password at once and tell \
                 your administrator.\n\nAirsettle\n"
            ),
        ),
        (Language::Chinese, SecondFactorIs::On) => (
            "Airsettle：已启用双重验证".to_owned(),
            format!("{name}，您好：\n\n今后登录需要输入验证器应用中的验证码。\n\nAirsettle\n"),
        ),
        (Language::Chinese, SecondFactorIs::Off) => (
            "Airsettle：已停用双重验证".to_owned(),
            format!("{name}，您好：\n\n登录不再需要验证码。如非您本人操作，请立即修改密码并通知管理员。\n\nAirsettle\n"),
        ),
    };
    letter("second_factor_changed", &user.email, words)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecondFactorIs {
    On,
    Off,
}
