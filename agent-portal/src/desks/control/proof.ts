import type { Schemas } from '../../api/client';
import type { Tone } from '../../shared/Page';

export const proofTones: Record<Schemas['CashProofState'], Tone> = { proven: 'good', unexplained: 'bad', unavailable: 'warn' };
