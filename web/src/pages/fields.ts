// The fields of a job's form, and the parameters that it is sent with.
import type { Parameter } from '../api/types';

// What a field of the form is, from a parameter's declaration.
export interface Field {
  control: 'text' | 'lines' | 'password' | 'number' | 'checkbox' | 'select';
  step: string; // of a number
  hint: string;
  initial: string;
  choices: string[];
}

const kHints: Record<string, string> = {
  PARAMETER_TYPE_DURATION: 'a time with its unit, such as 1.5s or 1h30m',
  PARAMETER_TYPE_INT: 'a whole number',
  PARAMETER_TYPE_DOUBLE: 'a number',
};

export function fieldOf(parameter: Parameter, given: string | undefined): Field {
  // What a run shows of a secret, or an address has in its place, is not its value.
  const initial = parameter.secret ? '' : given ?? parameter.defaultValue ?? '';
  return {
    control: controlOf(parameter, initial),
    step: parameter.type === 'PARAMETER_TYPE_INT' ? '1' : 'any',
    hint: [kHints[parameter.type], limits(parameter)].filter((part) => part).join(', '),
    initial,
    choices: choicesOf(parameter, initial),
  };
}

// Integers of 64 bits are more than a number field can hold; it would round them.
function controlOf(parameter: Parameter, initial: string): Field['control'] {
  if (parameter.secret) return 'password';
  if (initial.includes('\n')) return 'lines'; // which a field of one line would drop
  switch (parameter.type) {
    case 'PARAMETER_TYPE_BOOL': return 'checkbox';
    case 'PARAMETER_TYPE_ENUM': return 'select';
    case 'PARAMETER_TYPE_DOUBLE': return 'number';
    case 'PARAMETER_TYPE_INT': return isExact(parameter.minimum) && isExact(parameter.maximum) ? 'number' : 'text';
    default: return 'text';
  }
}

const isExact = (limit: string | undefined): boolean => limit !== undefined && Number.isSafeInteger(Number(limit));

function limits({ minimum, maximum }: Parameter): string {
  if (minimum && maximum) return `from ${minimum} to ${maximum}`;
  if (minimum) return `at least ${minimum}`;
  return maximum ? `at most ${maximum}` : '';
}

// A value that must be chosen begins with none.
function choicesOf(parameter: Parameter, initial: string): string[] {
  const values = parameter.values ?? [];
  return initial === '' && !values.includes('') ? ['', ...values] : values;
}

export const isOn = (value: string): boolean => ['true', '1', 'yes'].includes(value.toLowerCase());

// What is sent: nothing for a field left empty, so that the default applies.
export function valuesOf(parameters: readonly Parameter[], form: FormData): Record<string, string> {
  const values: Record<string, string> = {};
  for (const parameter of parameters) {
    const value = form.get(parameter.name);
    if (parameter.type === 'PARAMETER_TYPE_BOOL') values[parameter.name] = value === null ? 'false' : 'true';
    else if (typeof value === 'string' && (value !== '' || keepsEmpty(parameter))) values[parameter.name] = value;
  }
  return values;
}

// An empty text is a value where the default is another one, and for a text that must be given.
const keepsEmpty = (parameter: Parameter): boolean =>
  parameter.type === 'PARAMETER_TYPE_STRING' && !parameter.required && (parameter.defaultValue ?? '') !== '';
