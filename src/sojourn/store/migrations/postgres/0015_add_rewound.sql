-- Whether a part of the session's log was taken back: its last message need not be the conversation's last.
ALTER TABLE sessions ADD COLUMN rewound boolean NOT NULL DEFAULT false;
