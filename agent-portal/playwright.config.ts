import { defineConfig } from '@playwright/test';
import { existsSync } from 'node:fs';

// The distribution's browser. BASE_URL is a server that runs on demo data, AIRSETTLE_DEMO its `demo.json`.
const chromium = process.env.CHROMIUM ?? ['/usr/bin/chromium', '/usr/bin/chromium-browser'].find(existsSync);

export default defineConfig({
  testDir: 'e2e',
  timeout: 120_000,
  expect: { timeout: 15_000 },
  workers: 2,
  retries: 0,
  reporter: [['list']],
  use: {
    baseURL: process.env.BASE_URL ?? 'http://127.0.0.1:8080',
    launchOptions: { executablePath: chromium, args: ['--no-sandbox', '--disable-gpu'] },
    viewport: { width: 1440, height: 900 },
    trace: 'retain-on-failure',
    timezoneId: 'Asia/Shanghai',
  },
  projects: [
    // They change what others would see, such as whether an agency may sell.
    { name: 'journeys', testIgnore: '**/pages.spec.ts', workers: 1 },
    // These only look.
    { name: 'pages', testMatch: '**/pages.spec.ts', fullyParallel: true, dependencies: ['journeys'] },
  ],
});
