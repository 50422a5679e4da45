// One study: what it may be believed, its board, and whatever else its folder holds.
import type { ComponentChildren, JSX } from 'preact';
import type { LabReliability, LabStudyView } from '../../api/types';
import { count, percent, plain } from '../../format/number';
import { SECOND, span } from '../../format/time';
import { place, setParams } from '../../state/place';
import { Empty } from '../../ui/Answer';
import { Choice } from '../../ui/Choice';
import { Panel } from '../../ui/Panel';
import { Time } from '../../ui/Time';
import { Reliability } from '../scorecard/Reliability';
import { FoldMap } from './FoldMap';
import { Importance } from './Importance';
import { ModelTable } from './ModelTable';
import { Trades } from './Trades';
import { CLASSES, WITH_INPUTS, controlOf, lead, nameOf, ofModel, runOf, show, targetText } from './words';

export function StudyDetails({ data }: { data: LabStudyView }): JSX.Element {
  const { about } = data;
  const control = controlOf(about);
  return (
    <div class="stack">
      <Panel title={`${about.target} of ${about.market}`} id="study" aside={<Made data={data} />}>
        <p class="lead" data-testid="lab-lead">
          {lead(data)}
        </p>
        <p data-testid="lab-control">
          <strong class={`tone-${control.tone}`}>{control.word}.</strong> {control.means}
        </p>
        <ModelTable data={data} />
        <Figures data={data} />
        <LeftOut data={data} />
      </Panel>
      <Panel title="Reliability">
        <Stated data={data} />
      </Panel>
      <Panel title="Importance" aside={data.importance !== null && <span>of {data.importance.model}</span>}>
        {data.importance === null ? <Unmade what="importance" data={data} command="importance" more={ofModel(data, WITH_INPUTS)} /> : <Importance of={data.importance} />}
      </Panel>
      <Panel title="Folds">{data.fold_map === null ? <Empty why="The folder of this study has no folds." todo={<Train data={data} />} /> : <FoldMap map={data.fold_map} />}</Panel>
      <Panel title="Back-test" aside={data.backtest !== null && <span>of {data.backtest.model}</span>}>
        {data.backtest !== null ? (
          <Trades of={data.backtest} />
        ) : about.target.startsWith('dir_') ? (
          <Unmade what="back-test" data={data} command="backtest" more={`${ofModel(data)} --fee VIP0=5`} />
        ) : (
          <Empty why="Only a direction over time has a back-test." todo="Studies of dir_1s, dir_5s, dir_30s, dir_1m and dir_5m do." />
        )}
      </Panel>
      <Panel title="Rows and inputs">
        <Rows data={data} />
      </Panel>
      {Object.entries(data.unread).map(([file, why]) => (
        <p key={file} class="failed" role="status">
          {file} cannot be read: {why}.
        </p>
      ))}
    </div>
  );
}

function Made({ data }: { data: LabStudyView }): JSX.Element {
  const { about } = data;
  const words = [targetText(about), runOf(about), about.preset === null ? '' : `preset ${about.preset}`];
  return (
    <>
      <span>{words.filter((text) => text !== '').join(', ')}</span>
      {about.made_at !== null && (
        <span>
          made <Time at={about.made_at} />
        </span>
      )}
    </>
  );
}

function command(data: LabStudyView, name: string, more = ''): string {
  // Which lake a study was made of is not kept with it.
  return `barograph lab ${name} ${data.about.market} --target ${data.about.target}${more} ${data.options} --lake LAKE`;
}

function Train({ data }: { data: LabStudyView }): JSX.Element {
  return (
    <>
      Fit it again, LAKE being the lake of its rows: <code>{command(data, 'train')}</code>
    </>
  );
}

function Unmade({ what, data, command: name, more = '' }: { what: string; data: LabStudyView; command: string; more?: string }): JSX.Element {
  return (
    <Empty
      why={`This study has no ${what} yet.`}
      todo={
        <>
          With the settings it was fitted with, LAKE being the lake of its rows: <code>{command(data, name, more)}</code>
        </>
      }
    />
  );
}

/** Numbers of the board as a whole. */
function Figures({ data }: { data: LabStudyView }): JSX.Element | null {
  const figures = Object.entries(data.figures);
  if (figures.length === 0) return null;
  return (
    <p class="muted small">
      Of the whole board:{' '}
      {figures.map(([name, value], at) => (
        <span key={name} title={nameOf(name).title}>
          {at > 0 && ', '}
          {nameOf(name).name} {show(name, value)}
        </span>
      ))}
      .
    </p>
  );
}

function LeftOut({ data }: { data: LabStudyView }): JSX.Element | null {
  const all = Object.entries(data.left_out);
  if (all.length === 0) return null;
  return (
    <ul class="muted small plain-list">
      {all.map(([model, why]) => (
        <li key={model}>
          {model} was left out: {why}.
        </li>
      ))}
    </ul>
  );
}

function Stated({ data }: { data: LabStudyView }): JSX.Element {
  const all = data.reliability;
  if (all.length === 0) {
    return data.about.task === 'regression' ? (
      <Empty why="A number is no probability: there is nothing to compare with how often it came." />
    ) : (
      <Empty why="The folder of this study has no reliability curves: an older build made it." todo={<Train data={data} />} />
    );
  }
  const models = [...new Set(all.map((each) => each.model))];
  const wanted = place.value.params['model'];
  const model = models.find((name) => name === wanted) ?? models.find((name) => name === data.about.best) ?? models[0] ?? '';
  const classes = all.filter((each) => each.model === model);
  const shown = classes.find((each) => String(each.class) === place.value.params['class']) ?? classes[0];
  return (
    <>
      <Chosen models={models} model={model} classes={classes} shown={shown} />
      {shown !== undefined && <Reliability row={shown} />}
    </>
  );
}

function Chosen({ models, model, classes, shown }: { models: readonly string[]; model: string; classes: readonly LabReliability[]; shown: LabReliability | undefined }): JSX.Element {
  return (
    <div class="filters">
      <label class="inline-field">
        <span>model</span>
        <select aria-label="model" value={model} onChange={(event) => setParams({ model: event.currentTarget.value }, false)}>
          {models.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {classes.length > 1 && (
        <Choice name="class" options={classes.map((each) => [String(each.class), CLASSES[each.class ?? 0] ?? `class ${each.class}`] as const)} value={String(shown?.class ?? 0)} choose={(value) => setParams({ class: value }, false)} />
      )}
    </div>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }): JSX.Element {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}

function Rows({ data }: { data: LabStudyView }): JSX.Element {
  const { about } = data;
  const embargo = data.embargo_s.length === 0 ? null : Math.max(...data.embargo_s);
  const unlabelled = Object.entries(data.unlabelled);
  const dropped = Object.entries(data.dropped);
  return (
    <>
      <dl class="facts lab-facts">
        {about.span !== null && (
          <Fact name="data">
            <Time at={about.span[0]} /> to <Time at={about.span[1]} />
          </Fact>
        )}
        <Fact name="rows">
          {plain(about.rows, 9)}, {plain(about.labelled, 9)} with a label
        </Fact>
        {unlabelled.length > 0 && <Fact name="no label">{unlabelled.map(([why, n]) => `${why}: ${plain(n, 9)}`).join('; ')}</Fact>}
        {data.zero_share !== null && <Fact name="no move">{percent(data.zero_share)} of the moves were exactly zero and are left out</Fact>}
        {embargo !== null && <Fact name="embargo">nothing within {span(embargo * SECOND)} before a test block was learnt from</Fact>}
        <Fact name="inputs">
          {count(data.inputs, 'column')}
          {dropped.length > 0 && `, ${dropped.length} left out`}
        </Fact>
        {data.seed !== null && <Fact name="seed">{plain(data.seed, 20)}</Fact>}
        {data.config_hash !== null && (
          <Fact name="settings">
            <code title={data.config_hash}>{data.config_hash.slice(0, 12)}</code>
          </Fact>
        )}
        {data.data_digest !== null && (
          <Fact name="data digest">
            <code title={data.data_digest}>{data.data_digest.slice(0, 12)}</code>
          </Fact>
        )}
      </dl>
      {dropped.length > 0 && (
        <details>
          <summary>{count(dropped.length, 'column')} left out, and why</summary>
          <ul class="small plain-list">
            {dropped.map(([column, why]) => (
              <li key={column}>
                <code>{column}</code> {why}
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  );
}
