import { texts } from '../i18n';
import type en from './texts.en.json';

export const useShell = texts<typeof en>('shell');
