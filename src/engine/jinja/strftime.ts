import { JinjaError } from './jinjaError';

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const two = (value: number): string => String(value).padStart(2, '0');

const directives: Readonly<Record<string, (time: Date) => string>> = {
  '%': () => '%',
  a: (time) => days[time.getDay()].slice(0, 3),
  A: (time) => days[time.getDay()],
  b: (time) => months[time.getMonth()].slice(0, 3),
  B: (time) => months[time.getMonth()],
  c: (time) => strftime(time, '%a %b %e %H:%M:%S %Y'),
  d: (time) => two(time.getDate()),
  D: (time) => strftime(time, '%m/%d/%y'),
  e: (time) => String(time.getDate()).padStart(2, ' '),
  F: (time) => strftime(time, '%Y-%m-%d'),
  H: (time) => two(time.getHours()),
  I: (time) => two(time.getHours() % 12 || 12),
  j: (time) => String(dayOfYear(time)).padStart(3, '0'),
  m: (time) => two(time.getMonth() + 1),
  M: (time) => two(time.getMinutes()),
  p: (time) => (time.getHours() < 12 ? 'AM' : 'PM'),
  S: (time) => two(time.getSeconds()),
  T: (time) => strftime(time, '%H:%M:%S'),
  x: (time) => strftime(time, '%m/%d/%y'),
  X: (time) => strftime(time, '%H:%M:%S'),
  y: (time) => two(time.getFullYear() % 100),
  Y: (time) => String(time.getFullYear()),
  z: () => '',
  Z: () => '',
};

function dayOfYear(time: Date): number {
  return (
    Math.round(
      (Date.UTC(time.getFullYear(), time.getMonth(), time.getDate()) - Date.UTC(time.getFullYear(), 0, 1)) / 86_400_000,
    ) + 1
  );
}

/** A local time in words, as Python's `datetime.strftime` writes it in the C locale, with glibc's `%-d`. */
export function strftime(time: Date, format: string): string {
  return format.replace(/%(-?)(.)/gsu, (whole, bare: string, name: string) => {
    const directive = Object.hasOwn(directives, name) ? directives[name] : undefined;
    if (directive === undefined) throw new JinjaError(`the format ${whole} of a date is not supported`);
    return bare === '' ? directive(time) : directive(time).replace(/^[0 ]+(?=.)/, '');
  });
}
