// Drives the playground of a running server in Chromium, as a person would.
//
//   READOUT_URL=http://localhost:8080 READOUT_EMAIL=… READOUT_PASSWORD=… npm test
//   npm test -- http://localhost:8080 ada@example.org secret
//
// The account must see a device, and readings of the metric "temperature" must be arriving. With READOUT_KEY, a key that
// may ingest for one device, the test sends them itself. CHROMIUM names another browser than /usr/bin/chromium.

import assert from 'node:assert/strict';
import { chromium } from 'playwright-core';

const [url, email, password] = ['URL', 'EMAIL', 'PASSWORD'].map((name, i) => {
  const value = process.argv[2 + i] ?? process.env[`READOUT_${name}`];
  assert(value, `READOUT_${name} is missing`);
  return value;
});
const origin = new URL(url).origin;
const key = process.env.READOUT_KEY;

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: [
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
  ],
});
try {
  const page = await browser.newPage();
  page.setDefaultTimeout(15_000);
  const seen = watch(page);

  await step('the page opens', async () => {
    const response = await page.goto(`${origin}/playground`);
    assert.equal(response?.status(), 200);
    await page.getByText('Not logged in').waitFor();
    await page.getByRole('region', { name: 'Query Editor' }).getByText('query Devices').waitFor();
  });

  await step('logging in connects', async () => {
    assert.deepEqual(seen.errors, [], 'the console has errors');
    assert(!seen.urls.some((url) => url.endsWith('/graphql')), 'something was asked without a credential');
    await page.getByRole('textbox', { name: 'E-mail' }).fill(email);
    await page.getByRole('textbox', { name: 'Password' }).fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByText(`Connected as ${email}`).waitFor();
  });

  await step('the keyboard gets into the editor and out again', async () => {
    const inEditor = () => page.evaluate(() => document.activeElement?.closest('.CodeMirror') !== null);
    await page.getByRole('region', { name: 'Query Editor' }).getByText('query Devices').click();
    assert(await inEditor(), 'the editor takes no focus');
    await page.keyboard.press('Tab');
    assert(!(await inEditor()), 'Tab does not leave the editor');
  });

  await step('the first example shows a device', async () => {
    await run(page, 'Devices');
    const devices = await resultAfter(page, 'devices');
    assert(devices.edges.length > 0, 'the account sees no device');
    const { name } = devices.edges[0].node;
    await page.getByRole('region', { name: 'Result Window' }).getByText(`"${name}"`).first().waitFor();
  });

  await step('the subscription brings live results, until it is stopped', async () => {
    const feed = key ? startFeed() : null;
    try {
      await run(page, 'Live');
      const first = await resultAfter(page, 'readings');
      await resultAfter(page, 'readings', first.cursor);
    } finally {
      await feed?.stop();
    }
    await page.getByRole('button', { name: 'Stop query' }).click();
    await page.getByRole('button', { name: 'Execute query' }).waitFor();
    await page.locator('.bar .live').waitFor({ state: 'detached' });
    assert.equal(seen.sockets.length, 1, `one socket expected, saw ${seen.sockets}`);
  });

  const token = await page.evaluate(() => JSON.parse(sessionStorage.getItem('readout.session') ?? '{}').credential);
  await step('the credential stays in the session storage', async () => {
    assert(token, 'no credential in the session storage');
    for (const where of [page.url(), ...seen.urls, ...seen.sockets]) {
      assert(!where.includes(token) && !where.includes(encodeURIComponent(password)), `a secret is in the URL ${where}`);
    }
    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage }) + document.cookie);
    assert(!kept.includes(token), 'the credential is in the local storage or a cookie');
  });

  await step('the session outlives a reload and ends with the log-out', async () => {
    await page.reload();
    await page.getByText(`Connected as ${email}`).waitFor();
    assert.deepEqual(seen.errors, [], 'the console has errors');
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByText('Not logged in').waitFor();
    assert.equal(await page.evaluate(() => sessionStorage.length), 0);
  });

  await step('a credential that is no good is refused in words', async () => {
    await page.getByRole('textbox', { name: 'Credential' }).fill('rd_read_not-a-key');
    await page.getByRole('button', { name: 'Use' }).click();
    await page.getByText('Refused with key rd_read_not-…').waitFor();
    await run(page, 'Live');
    await page.getByRole('region', { name: 'Result Window' }).getByText('"errors"').waitFor();
    await page.getByRole('button', { name: 'Execute query' }).waitFor();
  });

  await step('nothing left the origin', async () => {
    for (const where of [...seen.urls, ...seen.sockets]) {
      assert.equal(new URL(where.replace(/^ws/, 'http')).origin, origin);
    }
  });
} finally {
  await browser.close();
}

async function step(name, work) {
  try {
    await work();
  } catch (error) {
    console.error(`✗ ${name}`);
    throw error;
  }
  console.log(`✓ ${name}`);
}

/** watch notes what the page asks for and what it complains about. */
function watch(page) {
  const seen = { urls: [], sockets: [], errors: [] };
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url())) seen.urls.push(request.url());
  });
  page.on('websocket', (socket) => seen.sockets.push(socket.url()));
  page.on('pageerror', (error) => seen.errors.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') seen.errors.push(`${message.text()} (${message.location().url})`);
  });
  return seen;
}

/** run picks an operation in the menu of the play button. */
async function run(page, operation) {
  await page.getByRole('button', { name: 'Execute query' }).click();
  await page.getByRole('menuitem', { name: operation, exact: true }).click();
}

/** resultAfter waits until the result pane shows data under field whose cursor is not the one given, and returns it. */
async function resultAfter(page, field, cursor) {
  const handle = await page.waitForFunction(
    ([field, cursor]) => {
      const text = document.querySelector('.result-window .CodeMirror')?.CodeMirror.getValue();
      if (!text) return false;
      const { data, errors } = JSON.parse(text);
      if (errors) throw new Error(text);
      return data[field] && (cursor === undefined || data[field].cursor !== cursor) && data[field];
    },
    [field, cursor],
  );
  return handle.jsonValue();
}

/** startFeed sends a temperature each 200 ms, as a device would. */
function startFeed() {
  let failure;
  const timer = setInterval(async () => {
    const response = await fetch(`${origin}/v1/readings`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ metric: 'temperature', value: 20 + Math.random() }),
    }).catch((error) => (failure ??= error));
    if (!response?.ok) failure ??= new Error(`POST /v1/readings: ${response?.status}`);
  }, 200);
  return {
    stop() {
      clearInterval(timer);
      if (failure) throw failure;
    },
  };
}
