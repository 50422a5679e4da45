// A reporter of Node's test runner: the names of the tests that failed, a line each, without the suites around them.
export default async function* failed(events) {
  for await (const { type, data } of events) {
    if (type === 'test:fail' && data.details?.type !== 'suite' && !/\d+ subtests? failed/.test(data.details?.error?.message ?? '')) yield `${data.name}\n`;
  }
}
