/** A reporter whose line comes last: in which modes backend-gpu ran, and on what. */
import process from 'node:process';
import type { Reporter, TestModule, TestProject } from 'vitest/node';

export default class Modes implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const projects = new Set(modules.map(({ project }) => project));
    const said = [...projects]
      .filter((project) => project.getProvidedContext().mode)
      .map((project) =>
        summary(
          project,
          modules.filter((module) => module.project === project),
        ),
      );
    process.on('exit', () => console.log(`modes ${said.join('; ')}`));
  }
}

function summary(project: TestProject, modules: readonly TestModule[]): string {
  const devices = modules.flatMap(({ children }) =>
    [...children.allTests()].flatMap((test) => test.meta().device ?? []),
  );
  const verdict = modules.every((module) => module.ok()) ? 'ok' : 'FAILED';
  const where = project.config.browser.enabled ? 'Chromium' : 'Node';
  return `${project.name} in ${where} ${[verdict, ...devices].join(' on ')}`;
}
