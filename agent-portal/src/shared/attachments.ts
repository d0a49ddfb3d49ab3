// Documents go up as they are, before what they belong to is sent.
import { deskHeaders, type Schemas } from '../api/client';
import { Problem, problemOf } from '../api/problem';

export async function attach(file: File): Promise<Schemas['Attachment']> {
  const headers = deskHeaders(new Headers({ 'Content-Type': file.type || 'application/octet-stream' }));
  const response = await fetch(`/v1/attachments?file_name=${encodeURIComponent(file.name)}`, { method: 'POST', headers, body: file, credentials: 'same-origin' }).catch(() => {
    throw Problem.unreachable();
  });
  const body = (await response.json().catch(() => null)) as { data: Schemas['Attachment'] } | null;
  if (!response.ok || !body) throw problemOf(response, body);
  return body.data;
}
