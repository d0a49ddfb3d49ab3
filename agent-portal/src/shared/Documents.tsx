import { Button, FileButton } from '@mantine/core';
import { IconPaperclip } from '@tabler/icons-react';
import { useState } from 'react';
import type { Schemas } from '../api/client';
import { asProblem, type Problem } from '../api/problem';
import { attach } from './attachments';
import { Failed } from './States';
import css from './shared.module.css';
import { useShared } from './texts';

/** Documents that belong to what a form sends. */
export function Documents({ label, given, onGiven, most = 10 }: { label: string; given: Schemas['Attachment'][]; onGiven: (all: Schemas['Attachment'][]) => void; most?: number }) {
  const t = useShared();
  const [problem, setProblem] = useState<Problem | null>(null);
  const [busy, setBusy] = useState(false);
  const take = async (file: File) => {
    setBusy(true);
    setProblem(null);
    try {
      const added = await attach(file);
      onGiven([...given, added].slice(-most));
    } catch (error) {
      setProblem(asProblem(error));
    }
    setBusy(false);
  };
  return (
    <div>
      <FileButton onChange={(file) => file && void take(file)} accept="application/pdf,image/png,image/jpeg">
        {(props) => (
          <Button {...props} variant="default" size="xs" leftSection={<IconPaperclip size={14} />} loading={busy}>
            {label}
          </Button>
        )}
      </FileButton>
      {given.length > 0 && (
        <ul className={css.documents}>
          {given.map((one) => (
            <li key={one.id}>
              {one.file_name}{' '}
              <button type="button" className={css.asLink} onClick={() => onGiven(given.filter((other) => other !== one))} aria-label={t('documents.drop', { name: one.file_name })}>
                ×
              </button>
            </li>
          ))}
        </ul>
      )}
      {problem && <Failed problem={problem} write />}
    </div>
  );
}
