import react from '@vitejs/plugin-react';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { policy } from './dev/policy.ts';

const api = process.env.AIRSETTLE_URL ?? 'http://127.0.0.1:8080';
const proxy = { '^/(v1|air|places|docs)/': { target: api, changeOrigin: false } };

export default defineConfig({
  plugins: [react()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: { proxy },
  // The production build as the backend serves it: the same policy, so that what it forbids is noticed here.
  preview: { proxy, headers: { 'Content-Security-Policy': policy, 'X-Content-Type-Options': 'nosniff' } },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    manifest: true,
    sourcemap: false,
  },
});
