// Cases on the page: filed from an alert's details, its books and trades stepped through by arrow keys, closed, exported.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { axe, open, shot } from './browser.mjs';
import { until } from './figures.mjs';
import { external } from './server.mjs';

/** `of` gives what the tests share once it is there: `{ browser, server }`. */
export function caseTests(of) {
  test('a case is filed from an alert, stepped through and closed', { skip: external !== undefined }, async () => {
    const { browser, server } = of();
    const ofMadeUp = async () => (await server.get('/api/v1/events?order=desc&severity=LOW&limit=300')).items.find((event) => event.instrument.includes(':M0') && event.change !== 'HAPPENED');
    await until(async () => (await ofMadeUp()) !== undefined, 'no made-up market has an alert', 240_000);
    const wanted = await ofMadeUp();
    const { page, said, close } = await open(browser, server.url, `/alerts?view=all&kind=${wanted.event_type}&market=${wanted.instrument}&severity=LOW`);
    const alert = page.locator('li.alert').first();
    await alert.locator('summary').first().click();
    await alert.getByRole('button', { name: 'File a case' }).click();
    await alert.getByLabel('Your name').fill('ann');
    await alert.getByRole('button', { name: 'File the case' }).click();
    await alert.getByRole('link', { name: 'Open the case' }).click();
    const state = page.getByTestId('case-state');
    await state.getByText('Open').waitFor();
    await page.getByText('Unknown: public market data name no accounts.').first().waitFor();

    // The journal covers what was received: every change of the book is a step.
    const step = page.getByTestId('step').first();
    await step.waitFor();
    const before = await step.innerText();
    assert.match(before, /^step \d+ of \d+, [+−]\d+\.\d{3} s$/);
    const stepper = page.locator('.stepper').first();
    await stepper.focus();
    await page.keyboard.press('Home');
    await step.getByText(/^step 1 of /).waitFor();
    await page.keyboard.press('ArrowRight');
    await step.getByText(/^step 2 of /).waitFor();
    await page.keyboard.press('ArrowLeft');
    await step.getByText(/^step 1 of /).waitFor();
    await page.keyboard.press('End');
    const rows = page.getByTestId('ladder').first().locator('tbody tr');
    assert.ok((await rows.count()) > 1, 'a ladder has both sides');

    await page.getByLabel('Your name').fill('bob');
    await page.getByLabel('Note').fill('asked the venue');
    await page.getByRole('button', { name: 'Add note' }).click();
    await page.getByText('asked the venue').waitFor();
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    await state.getByText('Acknowledged').waitFor();
    await page.getByRole('button', { name: 'Close as true' }).click();
    await state.getByText('Closed as true').waitFor();
    assert.deepEqual(await axe(page), []);
    await shot(page, 'case-dark');

    const id = new URL(page.url()).searchParams.get('case');
    const { items, precision } = await server.get('/api/v1/cases?state=closed');
    assert.equal(items.find((one) => one.case_id === id)?.disposition, 'true');
    assert.equal(precision.find((one) => one.pattern === wanted.event_type)?.closed_true, 1);
    await page.getByRole('link', { name: 'All cases' }).click();
    await page.locator('tr').filter({ hasText: 'Closed as true' }).first().waitFor();
    assert.deepEqual(await axe(page), []);
    assert.deepEqual(said, []);
    await close();
  });
}
