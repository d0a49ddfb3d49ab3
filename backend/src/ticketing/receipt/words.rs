//! The words of a receipt, each in both languages.

use super::super::coupon::CouponStatus;
use super::facts::Standing;

pub(super) type Both = (&'static str, &'static str);

pub(super) const TITLE: Both = ("电子客票行程单", "Itinerary receipt");
pub(super) const NO_INVOICE: &str = "不作报销凭证 · NOT A TAX INVOICE";
pub(super) const PASSENGER: Both = ("旅客姓名", "Passenger");
pub(super) const ERASED: Both = ("资料已删除", "Data erased");
pub(super) const DOCUMENT: Both = ("证件号码", "Document");
pub(super) const TICKET: Both = ("客票号码", "Ticket number");
pub(super) const REFERENCE: Both = ("订座记录编号", "Record locator");
pub(super) const ISSUED: Both = ("填开日期", "Date of issue");
pub(super) const ISSUER: Both = ("销售单位", "Issued by");
pub(super) const AIRLINE: Both = ("出票航空公司", "Issuing airline");
pub(super) const EXCHANGE: Both = ("换开自", "In exchange for");
pub(super) const FLIGHT: Both = ("航班", "Flight");
pub(super) const FROM: Both = ("出发", "From");
pub(super) const TO: Both = ("到达", "To");
pub(super) const CLASS: Both = ("舱位", "Class");
pub(super) const BASIS: Both = ("客票级别", "Fare basis");
pub(super) const BAGS: Both = ("行李", "Bags");
pub(super) const STATUS: Both = ("状态", "Status");
pub(super) const FARE: Both = ("票价", "Fare");
pub(super) const TOTAL: Both = ("合计", "Total");
pub(super) const PAYMENT: Both = ("付款方式", "Form of payment");
/// What the airline is told; how the agency pays for it is between the agency and its bank.
pub(super) const CASH: &str = "现金 CASH";
pub(super) const CALCULATION: Both = ("票价计算", "Fare calculation");
pub(super) const CONDITIONS: Both = ("退改规定", "Conditions");
pub(super) const REFUND: Both = ("退票费", "Refund fee");
pub(super) const CHANGE: Both = ("变更费", "Change fee");
pub(super) const NOT_ALLOWED: &str = "不得 not permitted";
pub(super) const BY_AIRLINE: &str = "以承运人规定为准 by the airline's rules";
pub(super) const UNTIL: &str = "前 until";
pub(super) const THEN: &str = "其后 then";

pub(super) const NOTES: [&str; 3] = [
    "所有航班时间均为当地时间。退票费与变更费按票价计收，税费另计。",
    "Times of flights are local times of their airports. Refund and change fees are on the fare; taxes are counted apart.",
    "运输以承运人的运输总条件为准，请携带有效身份证件办理乘机手续。 Carriage is subject to the airline's conditions of carriage; bring the document named above.",
];

pub(super) fn both((zh, en): Both) -> String {
    format!("{zh} {en}")
}

impl Standing {
    pub(super) fn words(self) -> Option<Both> {
        match self {
            Standing::Valid => None,
            Standing::Void => Some(("已作废", "VOID")),
            Standing::Refunded => Some(("已退票", "REFUNDED")),
            Standing::PartlyRefunded => Some(("部分退票", "PARTLY REFUNDED")),
            Standing::TaxesRefunded => Some(("税费已退", "TAXES REFUNDED")),
            Standing::Exchanged => Some(("已换开", "EXCHANGED")),
        }
    }
}

pub(super) fn status(of: CouponStatus) -> Both {
    match of {
        CouponStatus::Open => ("未使用", "Open for use"),
        CouponStatus::AirportControl => ("机场控制", "Airport control"),
        CouponStatus::CheckedIn => ("已值机", "Checked in"),
        CouponStatus::Lifted => ("已登机", "Boarded"),
        CouponStatus::Flown => ("已使用", "Flown"),
        CouponStatus::Exchanged => ("已换开", "Exchanged"),
        CouponStatus::Refunded => ("已退票", "Refunded"),
        CouponStatus::Void => ("已作废", "Void"),
        CouponStatus::Suspended => ("已挂起", "Suspended"),
        CouponStatus::Unavailable => ("不可用", "Unavailable"),
        CouponStatus::Printed => ("已打印", "Printed"),
        CouponStatus::FlightInterruption => ("航班中断", "Interrupted"),
        CouponStatus::Irregular => ("航班异常", "Irregular"),
        CouponStatus::PrintExchange => ("换开打印", "Print exchange"),
        CouponStatus::TaxesRefunded => ("税费已退", "Taxes refunded"),
        CouponStatus::Closed => ("已关闭", "Closed"),
    }
}

pub(super) fn kind(of: &str) -> &'static str {
    match of {
        "child" => "儿童 CHD",
        "infant" => "婴儿 INF",
        _ => "成人 ADT",
    }
}

pub(super) fn cabin(of: &str) -> &'static str {
    match of {
        "first" => "头等舱 First",
        "business" => "公务舱 Business",
        "premium_economy" => "超级经济舱 Premium economy",
        _ => "经济舱 Economy",
    }
}

pub(super) fn document(of: &str) -> &'static str {
    match of {
        "passport" => "护照 Passport",
        "national_id_card" => "居民身份证 ID card",
        "home_return_permit" => "港澳居民来往内地通行证 Home return permit",
        "taiwan_permit" => "台湾居民来往大陆通行证 Taiwan permit",
        _ => "税号 Tax id",
    }
}

/// What a tax is for; its code alone where that is not known.
pub(super) fn tax(code: &str) -> Option<Both> {
    match code {
        "CN" => Some(("民航发展基金", "Civil aviation fund")),
        "YQ" | "YR" => Some(("燃油附加费", "Fuel surcharge")),
        _ => None,
    }
}
