DROP INDEX letter_attachment;
ALTER TABLE letter DROP COLUMN attachment_id;
ALTER TABLE letter DROP COLUMN attachment;
ALTER TABLE letter DROP COLUMN language;
ALTER TABLE letter DROP COLUMN sealed_html;
