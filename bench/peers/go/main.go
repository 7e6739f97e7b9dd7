// Sends messages with the official Go client and prints what that cost, as one line that begins with RESULT.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"runtime/debug"

	"github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

const clientModule = "github.com/apache/rocketmq-client-go/v2"

func main() {
	options, err := parseOptions(os.Args[1:])
	if err != nil {
		if !errors.Is(err, errTold) {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(2)
	}
	result, err := run(options)
	if err != nil {
		fmt.Fprintln(os.Stderr, "the load could not run:", err)
		os.Exit(1)
	}
	line, err := json.Marshal(result)
	if err != nil {
		fmt.Fprintln(os.Stderr, "the result cannot be written:", err)
		os.Exit(1)
	}
	fmt.Printf("RESULT %s\n", line)
}

func run(options *options) (*result, error) {
	rlog.SetLogger(silence{})
	// Without a handler of its own the client ends the process when an asynchronous send runs out of time: it looks at the
	// answer that did not come. The callback has been called by then.
	primitive.PanicHandler = func(any) {}
	client, err := rocketmq.NewProducer(
		producer.WithNameServer(primitive.NamesrvAddr{options.nameServer}),
		producer.WithGroupName("bench-producer-group"),
		// As in the benchmark and the examples of the client.
		producer.WithRetry(retries),
		producer.WithSendMsgTimeout(options.deadline),
		producer.WithCompressMsgBodyOverHowmuch(noCompression),
	)
	if err != nil {
		return nil, err
	}
	if err := client.Start(); err != nil {
		return nil, err
	}
	defer client.Shutdown()
	sender := newSender(client, options)
	if err := sender.warmUp(); err != nil {
		return nil, err
	}
	phase := newPhase(options.warmUp, options.messages, options.rate)
	before, err := figuresBefore()
	if err != nil {
		return nil, err
	}
	phase.begin()
	if err := sender.send(phase); err != nil {
		return nil, err
	}
	after, err := figuresAfter()
	if err != nil {
		return nil, err
	}
	return newResult(options, phase, before, after)
}

// clientVersion is the one this program was linked with, without the v.
func clientVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, module := range info.Deps {
			if module.Path == clientModule {
				return module.Version[1:]
			}
		}
	}
	return "unknown"
}

// silence takes what the client logs and does nothing with it.
type silence struct{}

func (silence) Debug(string, map[string]any)   {}
func (silence) Info(string, map[string]any)    {}
func (silence) Warning(string, map[string]any) {}
func (silence) Error(string, map[string]any)   {}
func (silence) Fatal(string, map[string]any)   {}
func (silence) Level(string)                   {}
func (silence) OutputPath(string) error        { return nil }
