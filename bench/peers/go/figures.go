package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// figures is what this process has used up so far. Differences of two of these are the figures of a phase.
type figures struct {
	instant time.Time
	usage   syscall.Rusage
	memory  runtime.MemStats
	// Calls of write and read; a socket is the only thing this program writes to or reads from all the time.
	writes, reads uint64
}

// figuresBefore takes the time last, so that reading the other figures is not part of the phase that begins.
func figuresBefore() (*figures, error) {
	var figures figures
	if err := figures.readCalls(); err != nil {
		return nil, err
	}
	runtime.ReadMemStats(&figures.memory)
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &figures.usage); err != nil {
		return nil, err
	}
	figures.instant = time.Now()
	return &figures, nil
}

// figuresAfter takes the time first, for the same reason.
func figuresAfter() (*figures, error) {
	figures := figures{instant: time.Now()}
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &figures.usage); err != nil {
		return nil, err
	}
	runtime.ReadMemStats(&figures.memory)
	return &figures, figures.readCalls()
}

func (f *figures) readCalls() error {
	writes, err := lineOf("/proc/self/io", "syscw:")
	if err != nil {
		return err
	}
	f.writes = writes
	f.reads, err = lineOf("/proc/self/io", "syscr:")
	return err
}

func peakMemoryKib() (uint64, error) {
	return lineOf("/proc/self/status", "VmHWM:")
}

func lineOf(path, name string) (uint64, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(string(text), "\n") {
		if value, found := strings.CutPrefix(line, name); found {
			return strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(value, "kB")), 10, 64)
		}
	}
	return 0, fmt.Errorf("%s has no line %s", path, name)
}
