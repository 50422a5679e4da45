// What is written down, and what waits to be.
import type { JSX } from 'preact';
import type { FeedsView } from '../../api/types';
import { bytes, compact } from '../../format/number';
import { Bar } from '../../ui/Bar';
import { Panel } from '../../ui/Panel';

export function Storage({ data }: { data: FeedsView }): JSX.Element | null {
  const { journal, queues } = data;
  if (journal === null && queues.length === 0) return null;
  return (
    <Panel title="Storage and queues">
      <dl class="facts num">
        {journal !== null && (
          <>
            <dt>Journal</dt>
            <dd>
              {bytes(journal.bytes_written)} written of {bytes(journal.bytes_raw)} heard
              {journal.bytes_written > 0 && <span class="muted">, {(journal.bytes_raw / journal.bytes_written).toFixed(1)} to 1</span>}; {journal.files_open} files open, {journal.queue} waiting
            </dd>
          </>
        )}
      </dl>
      <table class="compact">
        <tbody>
          {queues.map((queue) => (
            <tr key={queue.name}>
              <th scope="row">queue {queue.name}</th>
              <td class="half">
                <Bar value={queue.depth_max === 0 ? 0 : queue.depth / queue.depth_max} name={`queue ${queue.name}`} />
              </td>
              <td class="num muted">
                {compact(queue.depth)} of {compact(queue.depth_max)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </Panel>
  );
}
