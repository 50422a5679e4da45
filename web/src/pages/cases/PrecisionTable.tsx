// What is known of the precision of detectors: by what people made of cases, and on injected episodes. Neither stands for the other.
import type { JSX } from 'preact';
import type { PatternPrecision } from '../../api/types';
import { shareText } from './words';

export function PrecisionTable({ of }: { of: PatternPrecision[] }): JSX.Element {
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="precision">
      <table class="stacked compact">
        <thead>
          <tr>
            <th scope="col">pattern</th>
            <th scope="col" class="num">true</th>
            <th scope="col" class="num">false</th>
            <th scope="col" class="num">unclear</th>
            <th scope="col">by disposition</th>
            <th scope="col">on injections</th>
          </tr>
        </thead>
        <tbody>
          {of.map((row) => (
            <tr key={row.pattern}>
              <th scope="row">{row.pattern.replaceAll('_', ' ').toLowerCase()}</th>
              <td class="num" data-name="true">{row.closed_true}</td>
              <td class="num" data-name="false">{row.closed_false}</td>
              <td class="num" data-name="unclear">{row.closed_unclear}</td>
              <td data-name="by disposition">{shareText(row.precision_by_disposition, 'none closed as true or false')}</td>
              <td data-name="on injections">{shareText(row.precision_on_injections, 'not measured')}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="muted small">
        Shares with their 95 % intervals. Cases are those that somebody thought worth filing, which is no fair sample; injections are of synthetic markets, which is an upper bound.
      </p>
    </div>
  );
}
