// A driver: bullmq-compat tells it on standard input, one JSON object a line, what to do with the port.
//
//	./driver                  serve on standard input and output
//	./driver -listen 9229     wait for `--impl attach:127.0.0.1:9229`, under a debugger
//
// Standard output is the protocol's alone: log to standard error.
package main

import (
	"bufio"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"sync"
)

// Raised says that the port raised. Symbol is BullMQ's error: `bullmq-compat schema protocol` lists them.
type Raised struct{ Text, Symbol string }

func (r Raised) Error() string { return r.Text }

// Object is what a scenario opens: a queue, a worker, a reader of events.
type Object interface{ Close() error }

// Methods of the protocol, by name: what stands here is declared in `capabilities` by itself.
var methods = map[string]func(*Driver, json.RawMessage) (any, error){
	// "queue.open": func(d *Driver, raw json.RawMessage) (any, error) {
	// 	var p struct{ As, Name string }
	// 	if err := json.Unmarshal(raw, &p); err != nil {
	// 		return nil, err
	// 	}
	// 	d.open(p.As, myport.NewQueue(p.Name, d.scenario.Prefix, d.scenario.Redis))
	// 	return nil, nil
	// },
	//
	// In the port's processor: what shall this attempt do?
	//	answer, err := d.ask("processor.call", map[string]any{"worker": name, "job": job, "token": token})
	//	… then return answer.end.return, or fail with what answer.end.throw says
}

type scenario struct {
	ID, Prefix string
	Redis      struct {
		Topology           string
		Nodes              [][2]any // host, port
		Username, Password string
	}
}

type message struct {
	ID     json.RawMessage `json:"id,omitempty"`
	Method string          `json:"method,omitempty"`
	Params json.RawMessage `json:"params,omitempty"`
	Result json.RawMessage `json:"result,omitempty"`
}

// Driver is one conversation with the harness.
type Driver struct {
	mutex    sync.Mutex
	out      io.Writer
	objects  map[string]Object
	scenario scenario
	asked    map[int]chan json.RawMessage
	number   int
}

func (d *Driver) open(name string, object Object) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	d.objects[name] = object
}

// end closes everything that is open.
func (d *Driver) end() error {
	d.mutex.Lock()
	objects := d.objects
	d.objects = map[string]Object{}
	d.mutex.Unlock()
	for _, object := range objects {
		if err := object.Close(); err != nil {
			return err
		}
	}
	return nil
}

// ask asks the harness (`processor.call`, `processor.gate`) and waits for its answer.
func (d *Driver) ask(method string, params any) json.RawMessage {
	d.mutex.Lock()
	d.number++
	id, answer := d.number, make(chan json.RawMessage, 1)
	d.asked[id] = answer
	d.mutex.Unlock()
	d.write(map[string]any{"id": id, "method": method, "params": params})
	return <-answer
}

// tell tells the harness (`worker.event`, `queue.event`).
func (d *Driver) tell(method string, params any) {
	d.write(map[string]any{"method": method, "params": params})
}

func (d *Driver) write(fields map[string]any) {
	fields["jsonrpc"] = "2.0"
	line, err := json.Marshal(fields)
	if err != nil {
		log.Fatal(err)
	}
	d.mutex.Lock()
	defer d.mutex.Unlock()
	if _, err := d.out.Write(append(line, '\n')); err != nil {
		log.Fatal(err)
	}
}

func (d *Driver) serve(in io.Reader) {
	lines := bufio.NewReaderSize(in, 1<<16)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			_ = d.end()
			return
		}
		var m message
		if err := json.Unmarshal(line, &m); err != nil {
			log.Fatalf("%v in %s", err, line)
		}
		switch {
		case m.Method == "": // an answer to what was asked
			var id int
			_ = json.Unmarshal(m.ID, &id)
			d.mutex.Lock()
			answer := d.asked[id]
			delete(d.asked, id)
			d.mutex.Unlock()
			answer <- m.Result
		case m.Method == "shutdown":
			d.answer(m)
			return
		default: // calls are answered in whatever order they end
			go d.answer(m)
		}
	}
}

func (d *Driver) answer(m message) {
	result, err := d.handle(m.Method, m.Params)
	reply := map[string]any{"id": m.ID}
	switch e := err.(type) {
	case nil:
		reply["result"] = result
	case Raised:
		data := map[string]any{"bullmq": e.Symbol, "message": e.Text}
		reply["error"] = map[string]any{"code": -32000, "message": e.Text, "data": data}
	case unknown:
		reply["error"] = map[string]any{"code": -32601, "message": e.Error()}
	default:
		reply["error"] = map[string]any{"code": -32002, "message": e.Error()}
	}
	d.write(reply)
}

type unknown string

func (u unknown) Error() string { return fmt.Sprintf("%s is not implemented", string(u)) }

func (d *Driver) handle(method string, params json.RawMessage) (any, error) {
	switch method {
	case "initialize":
		return welcome(), nil
	case "ping":
		return nil, nil
	case "scenario.begin":
		return nil, json.Unmarshal(params, &d.scenario)
	case "scenario.end", "shutdown":
		return nil, d.end()
	}
	if call, known := methods[method]; known {
		return call(d, params)
	}
	return nil, unknown(method)
}

func welcome() any {
	capabilities := map[string]any{"processor": []string{}, "clock": false, "cluster": false}
	for name := range methods {
		group, own, _ := strings.Cut(name, ".")
		offered, _ := capabilities[group].([]string)
		capabilities[group] = append(offered, own)
	}
	return map[string]any{
		"protocol": "bullmq-compat/1", "name": "my-port", "version": "0.0.1", "language": "go",
		"bullmq":       "5.62.0", // the BullMQ version that the port claims to speak
		"capabilities": capabilities,
	}
}

func newDriver(out io.Writer) *Driver {
	return &Driver{out: out, objects: map[string]Object{}, asked: map[int]chan json.RawMessage{}}
}

func main() {
	port := flag.Int("listen", 0, "wait for a harness on this port of 127.0.0.1")
	flag.Parse()
	if *port == 0 {
		newDriver(os.Stdout).serve(os.Stdin)
		return
	}
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", *port))
	if err != nil {
		log.Fatal(err)
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go newDriver(connection).serve(connection)
	}
}
