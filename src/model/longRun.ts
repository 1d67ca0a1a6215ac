/**
 * After so many milliseconds a run is no quick one, and a sign that moves says that it goes on, beside the words that are there at once.
 * Before, each picture of such a sign would be drawn in the run's own time where there is no graphics processor.
 */
export const longRunMilliseconds = 2000;
