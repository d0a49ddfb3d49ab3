/// Ten megabytes.
pub const MAX_ATTACHMENT_BYTES: usize = 10 * 1024 * 1024;

/// What can be attached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MediaType {
    Pdf,
    Jpeg,
    Png,
}

impl MediaType {
    pub const ALL: [MediaType; 3] = [MediaType::Pdf, MediaType::Jpeg, MediaType::Png];

    pub fn text(self) -> &'static str {
        match self {
            MediaType::Pdf => "application/pdf",
            MediaType::Jpeg => "image/jpeg",
            MediaType::Png => "image/png",
        }
    }

    /// From the first bytes; what a sender says about its file is not asked.
    pub fn sniff(content: &[u8]) -> Option<Self> {
        let begins = |media: &MediaType| content.starts_with(media.signature());
        MediaType::ALL.into_iter().find(begins)
    }

    fn signature(self) -> &'static [u8] {
        match self {
            MediaType::Pdf => b"%PDF-",
            MediaType::Jpeg => &[0xFF, 0xD8, 0xFF],
            MediaType::Png => &[0x89, b'P', b'N', b'G', 0x0D, 0x0A, 0x1A, 0x0A],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_first_bytes_say() {
        assert_eq!(MediaType::sniff(b"%PDF-1.7 ..."), Some(MediaType::Pdf));
        assert_eq!(MediaType::sniff(&[0xFF, 0xD8, 0xFF, 0xE0]), Some(MediaType::Jpeg));
        assert_eq!(MediaType::sniff(b"\x89PNG\r\n\x1a\n...."), Some(MediaType::Png));
        for other in [b"".as_slice(), b"%PD", b"<html>", b"MZ\x90\x00", b" %PDF-1.7"] {
            assert_eq!(MediaType::sniff(other), None, "{other:?}");
        }
    }
}
