-- E-mail in two forms, with a document that is made when it leaves.

-- The same as the text, for those who look at it in colours; gone once it is sent.
ALTER TABLE letter ADD COLUMN sealed_html BYTEA CHECK (sealed_html IS NULL OR state = 'queued');
ALTER TABLE letter ADD COLUMN language TEXT CHECK (language IN ('zh-CN', 'en'));
-- What is attached: the kind of document, and whose.
ALTER TABLE letter ADD COLUMN attachment TEXT CHECK (attachment IN ('order_receipt'));
ALTER TABLE letter ADD COLUMN attachment_id BIGINT CHECK ((attachment_id IS NULL) = (attachment IS NULL));
CREATE INDEX letter_attachment ON letter (attachment_id, id) WHERE attachment_id IS NOT NULL;
